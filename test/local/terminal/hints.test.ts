import { afterExit, Hints, whileSlow } from '../../../local/terminal/hints';

function hints(isCommand: boolean) {
  const said: string[] = [];
  return { said, hints: new Hints((text) => said.push(text), isCommand) };
}

function times(count: number, what: () => void): void {
  for (let time = 0; time < count; time += 1) what();
}

describe('a health check that is refused', () => {
  test.each([
    [true, 'give a path that is, such as --health-check-path /'],
    [false, "give a path that is, in main.ts, such as healthCheck: '/'"],
  ])('is said once, with what names the path (a command: %s)', (isCommand, mend) => {
    const { said, hints: given } = hints(isCommand);
    times(9, () => {
      given.waiting('api-1', 'GET /healthcheck answers 404');
    });
    expect(said).toEqual([]);
    times(50, () => {
      given.waiting('api-1', 'GET /healthcheck answers 404');
      given.waiting('api-2', 'GET /healthcheck answers 404');
    });
    expect(said).toEqual([`api-1 answers 404 at /healthcheck, and gets requests once that is 2xx: ${mend}`]);
  });

  test('is not said while the API itself says that it is not ready', () => {
    const { said, hints: given } = hints(true);
    times(100, () => {
      given.waiting('api-1', 'GET /healthcheck answers 503');
      given.waiting('api-1', 'GET /healthcheck: connect ECONNREFUSED 127.0.0.1:21000');
    });
    expect(said).toEqual([]);
  });
});

test.each([
  'Error: listen EADDRINUSE: address already in use :::3000',
  'OSError: [Errno 98] Address already in use',
  'listen tcp :3000: bind: address already in use',
])('%s leads to process.env.PORT, once', (line) => {
  const { said, hints: given } = hints(true);
  given.line('api-2', 21_000, line);
  given.line('api-3', 21_001, line);
  expect(said).toEqual([
    'api-2 is told port 21000, and wants one that is taken: listen on process.env.PORT, which is another for each instance',
  ]);
});

test('the port that it was told is not a mistake of the program', () => {
  const { said, hints: given } = hints(true);
  given.line('api-2', 21_000, 'Error: listen EADDRINUSE: address already in use :::21000');
  given.line('api-2', 21_000, 'listening on 3000');
  expect(said).toEqual([]);
});

test('whoever is slow without listening is asked for PORT', () => {
  expect(whileSlow('GET /: connect ECONNREFUSED 127.0.0.1:21000')).toMatch(/: does it listen on process\.env\.PORT\?$/);
  expect(whileSlow('GET / answers 503')).toBe('GET / answers 503');
  expect(whileSlow('')).toBe('it has not answered yet');
});

test('what a shell did not find is said', () => {
  expect(afterExit('exit code 127')).toContain('is it installed');
  expect(afterExit('exit code 1')).toBe('');
});
