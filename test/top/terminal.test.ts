import { EventEmitter } from 'node:events';
import { Terminal } from '../../top/terminal';

class FakeScreen extends EventEmitter {
  columns = 20;
  rows = 3;
  written = '';

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows, written: '' });
    this.emit('resize');
  }
}

class FakeInput extends EventEmitter {
  isRaw = false;

  constructor(readonly isTTY: boolean) {
    super();
  }

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }

  resume(): this {
    return this;
  }

  pause(): this {
    return this;
  }
}

const taken = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const givenBack = '\u001b[?7h\u001b[?25h\u001b[?1049l';

function opened(isTTY = true) {
  const [input, screen, end] = [new FakeInput(isTTY), new FakeScreen(), jest.fn()];
  return { input, screen, end, terminal: new Terminal(input as never, screen as never, end) };
}

test('a terminal has another screen, and gets its own back once, with nothing left of it', () => {
  const before = process.listenerCount('exit');
  const { input, screen, terminal } = opened();
  expect([screen.written, input.isRaw]).toEqual([taken, true]);
  terminal.close();
  terminal.close();
  expect([screen.written, input.isRaw]).toEqual([taken + givenBack, false]);
  expect([process.listenerCount('exit'), screen.listenerCount('resize'), input.listenerCount('data')]).toEqual([
    before,
    0,
    0,
  ]);
});

test('a terminal is given back when the process exits', () => {
  const { screen } = opened();
  const exiting = process.listeners('exit').at(-1);
  exiting?.call(process, 0);
  expect(screen.written).toBe(taken + givenBack);
});

test('lines are written over those before, and made anew for another size', () => {
  const { screen, terminal } = opened();
  screen.written = '';
  terminal.show(({ columns, rows }) => [`${columns} columns`, `${rows} rows`]);
  expect(screen.written).toBe('\u001b[H\u001b[2K20 columns\r\n\u001b[2K3 rows\r\n\u001b[J');
  screen.resize(30, 2);
  // The last line of the screen is followed by nothing: it would scroll.
  expect(screen.written).toBe('\u001b[H\u001b[2K30 columns\r\n\u001b[2K2 rows');
  screen.resize(0, 0);
  expect(screen.written).toContain('80 columns\r\n\u001b[2K24 rows');
  terminal.close();
});

test.each([
  ['q', 1],
  ['Q', 1],
  ['\u0003', 1],
  ['x\u0003', 1],
  ['x', 0],
  ['\u001b[A', 0],
  ['quit', 0],
])('the keys %j end it so often: %d', (keys, times) => {
  const { input, end, terminal } = opened();
  input.emit('data', Buffer.from(keys));
  expect(end).toHaveBeenCalledTimes(times);
  terminal.close();
});

test('an input that is no terminal is left alone', () => {
  const { input, terminal } = opened(false);
  terminal.close();
  expect([input.isRaw, input.eventNames()]).toEqual([false, []]);
});
