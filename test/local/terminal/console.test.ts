import { PassThrough } from 'node:stream';
import { type ConsoleCommands, firstRequest, readConsoleCommands } from '../../../local/terminal/console';
import { Output } from '../../../local/terminal/output';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { startOptions } from '../typed-start';

/** A terminal that shows what it is sent: its lines, the last one being where the cursor is. */
class Screen extends PassThrough {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 24;
  private readonly shown: string[] = [''];
  private column = 0;

  constructor() {
    super();
    this.setEncoding('utf8').on('data', (text: string) => {
      this.show(text);
    });
  }

  get lines(): readonly string[] {
    return this.shown;
  }

  private show(text: string): void {
    // eslint-disable-next-line no-control-regex
    for (const [part, code, command] of text.matchAll(/\u001b\[(\d*)([A-Z])|[^]/g)) {
      const line = this.shown.at(-1) ?? '';
      if (command === 'G') this.column = numberOf(code) - 1;
      else if (command === 'K' || command === 'J') this.replaceLine(code === '2' ? '' : line.slice(0, this.column));
      else if (command === 'C') this.column += numberOf(code);
      else if (command === 'D') this.column -= numberOf(code);
      else if (part === '\r') this.column = 0;
      else if (part === '\n') this.shown.push('');
      else {
        this.replaceLine(line.slice(0, this.column).padEnd(this.column) + part + line.slice(this.column + 1));
        this.column += 1;
      }
      if (part === '\n') this.column = 0;
    }
  }

  private replaceLine(text: string): void {
    this.shown[this.shown.length - 1] = text;
  }
}

/** One, where an escape sequence says none. */
function numberOf(code: string | undefined): number {
  return code === undefined || code === '' ? 1 : Number(code);
}

class Keyboard extends PassThrough {
  readonly isTTY = true;
  readonly setRawMode = jest.fn();
}

function reading(screen: PassThrough, keyboard: PassThrough) {
  const output = new Output(screen);
  const understood: string[] = [];
  const commands: ConsoleCommands = {
    scale: (count, backend) => understood.push(`scale ${backend ?? 'all'} ${count}`),
    stop: (instance) => understood.push(`stop ${instance}`),
    weight: (backend, percent) => understood.push(`weight ${backend} ${percent}`),
    status: () => understood.push('status'),
    help: () => understood.push('help'),
    quit: () => understood.push('quit'),
    misunderstood: (message) => understood.push(message),
  };
  const stop = readConsoleCommands(keyboard, output, commands);
  onTestFinished(stop);
  return { output, understood, stop };
}

test('a line that is being typed stays whole below what is written meanwhile', async () => {
  const screen = new Screen();
  const keyboard = new Keyboard();
  const { output, understood } = reading(screen, keyboard);
  keyboard.write('scale ord');
  await until(() => screen.lines.at(-1) === 'scale ord');
  output.log('nginx', { level: 'info', text: 'GET /orders 200 4 ms' });
  output.say('Scaling');
  await until(() => screen.lines.some((line) => line.endsWith('fairlead Scaling')));
  expect(screen.lines.filter((line) => line !== '')).toEqual([
    expect.stringMatching(/^[\d:]{8} nginx {4}GET \/orders 200 4 ms$/),
    expect.stringMatching(/^[\d:]{8} fairlead Scaling$/),
    'scale ord',
  ]);
  keyboard.write('ers 5\r');
  await until(() => understood.length === 1);
  expect(understood).toEqual(['scale orders 5']);
  // Nothing is typed any more: what is written is all that there is.
  output.say('Done');
  await until(() => screen.lines.some((line) => line.endsWith('Done')));
  expect(screen.lines.at(-1)).toBe('');
});

test('Ctrl-C on a terminal that gives each key is the signal that it would be', async () => {
  const keyboard = new Keyboard();
  reading(new Screen(), keyboard);
  const kill = jest.spyOn(process, 'kill').mockReturnValue(true);
  onTestFinished(() => {
    kill.mockRestore();
  });
  keyboard.write('\u0003');
  await until(() => kill.mock.calls.length > 0);
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGINT']]);
});

test('a pipe is read line by line, and nothing of it is shown', async () => {
  const screen = new PassThrough().setEncoding('utf8');
  const input = new PassThrough();
  const { output, understood } = reading(screen, input);
  input.write('scale 3\nsta');
  output.say('Scaling');
  input.write('tus\n');
  await until(() => understood.length === 2);
  expect(understood).toEqual(['scale all 3', 'status']);
  expect(String(screen.read())).toMatch(/^[\d:]{8} fairlead Scaling\n$/);
});

test.each([
  [[], 'localhost', 'grpcurl -insecure -proto FILE localhost:8443 SERVICE/METHOD'],
  [
    ['--listen', '::'],
    'shop.example.com',
    'grpcurl -insecure -servername shop.example.com -authority shop.example.com -proto FILE [::1]:8443 SERVICE/METHOD',
  ],
  [
    ['--listen', '192.0.2.1'],
    'localhost',
    'grpcurl -insecure -servername localhost -authority localhost -proto FILE 192.0.2.1:8443 SERVICE/METHOD',
  ],
])('where all speak gRPC, what asks with %j for %s is `%s`', (args, host, command) => {
  expect(firstRequest(startOptions(args), host, [{ healthCheckPath: undefined }])).toBe(command);
});
