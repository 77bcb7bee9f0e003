import { apiLogLines, nginxLogLine } from '../../../local/terminal/log-line';
import { terminalText } from '../../../local/terminal/output';

const instanceName = (port: number): string | undefined => ({ 4001: 'api-1', 4002: 'api-2' })[port];

function access(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ method: 'GET', path: '/', status: 200, request_time: 0.0034, upstream_addr: '', ...fields });
}

describe('a line of the API', () => {
  test('that pino wrote becomes words', () => {
    const record = { level: 40, time: 1, pid: 2, hostname: 'api-1', msg: 'Slow', path: '/a', note: 'two words', n: 3 };
    expect(apiLogLines(JSON.stringify(record))).toEqual([
      { level: 'warn', text: 'Slow  path=/a  note="two words"  n=3' },
    ]);
  });

  test('shows the stack of an error, line by line', () => {
    const record = { level: 50, msg: 'Failed', err: { message: 'x', stack: 'Error: x\n    at y' } };
    expect(apiLogLines(JSON.stringify(record))).toEqual([
      { level: 'error', text: 'Failed' },
      { level: 'error', text: 'Error: x' },
      { level: 'error', text: '    at y' },
    ]);
  });

  test.each(['plain text', '{"half":', '{"msg":"no level"}', '[1]', ''])('%j stays as it is', (text) => {
    expect(apiLogLines(text)).toEqual([{ level: 'info', text }]);
  });
});

describe('a line of nginx', () => {
  test('names the instance that answered', () => {
    const line = access({ method: 'POST', path: '/echo', upstream_addr: '127.0.0.1:4001' });
    expect(nginxLogLine(line, instanceName)).toEqual({ level: 'info', text: 'POST /echo 200 3 ms api-1' });
  });

  test('names every instance that was tried', () => {
    const line = access({ status: 502, upstream_addr: '127.0.0.1:4001, 127.0.0.1:4002 : 127.0.0.1:4003' });
    expect(nginxLogLine(line, instanceName)).toEqual({
      level: 'error',
      text: 'GET / 502 3 ms api-1 → api-2 → 127.0.0.1:4003',
    });
  });

  test('may have no time, and fields of a user', () => {
    const line = access({ request_time: undefined, tenant: 'acme', sample: 1 });
    expect(nginxLogLine(line, instanceName)).toEqual({ level: 'info', text: 'GET / 200' });
  });

  test('of the error log is shown without its own time and process', () => {
    expect(nginxLogLine('2026/11/21 10:59:00 [error] 7#7: *1 connect() failed', instanceName)).toEqual({
      level: 'error',
      text: '*1 connect() failed',
    });
  });
});

describe('what a terminal shows', () => {
  test.each([
    ['a\u001b[31mred\u001b[0m', 'ared'],
    ['clear\u001b[2J\u0007', 'clear\ufffd[2J\ufffd'],
    ['line\nforged\r', 'line\ufffdforged\ufffd'],
    ['right\u202eleft\u2028', 'right\ufffdleft\ufffd'],
    ['C1 \u009b2J', 'C1 \ufffd2J'],
    ['tab\tand ünïcode 漢', 'tab  and ünïcode 漢'],
  ])('%j', (text, shown) => {
    expect(terminalText(text)).toBe(shown);
  });
});
