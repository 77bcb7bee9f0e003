import { readdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { create } from '../../create/src/create';
import { Cancelled } from '../../create/src/questions';
import { until } from '../until';
import { filesOf, folderOf } from './created';

/** `npm create fairlead` on a terminal. */
class Terminal {
  said = '';
  readonly directory = folderOf();
  private readonly input = Object.assign(new PassThrough(), { isTTY: true });
  private readonly output = Object.assign(new PassThrough(), { isTTY: true });

  constructor() {
    this.output.setEncoding('utf8').on('data', (text: string) => (this.said += text));
  }

  run(...args: readonly string[]): Promise<void> {
    return create(args, this.directory, { input: this.input, output: this.output });
  }

  /** Once it was asked. */
  async answer(question: string, keys: string): Promise<void> {
    await until(() => this.said.includes(question), question);
    this.said = '';
    this.input.write(keys);
  }

  close(): void {
    this.input.end();
  }
}

const ctrlC = '\u0003';

test('three things are asked, each with a default that follows from the answers before', async () => {
  const terminal = new Terminal();
  const running = terminal.run();
  await terminal.answer('Name (', 'orders\r');
  await terminal.answer('Host (orders.example.com): ', 'shop.example.net\r');
  await terminal.answer('Image (ghcr.io/acme/orders:1.0.0): ', '\r');
  await running;
  const { 'main.ts': main } = filesOf(terminal.directory);
  expect(main).toContain("(app, 'orders', {\n  image: 'ghcr.io/acme/orders:1.0.0',\n  host: 'shop.example.net',\n");
});

test('an answer that cannot be is said to be one, and asked for again', async () => {
  const terminal = new Terminal();
  const running = terminal.run('--name', 'orders', '--image', 'orders:2');
  await terminal.answer('Host (', 'https://shop\r');
  await terminal.answer('host: "https://shop" is not a DNS name', 'shop.example.net\r');
  await running;
  expect(filesOf(terminal.directory)['main.ts']).toContain("host: 'shop.example.net'");
});

test('what was typed on the command line is not asked for, and --yes asks nothing', async () => {
  const typed = new Terminal();
  await typed.run('--name', 'orders', '--image', 'orders:2', '--host', 'localhost');
  expect(typed.said).not.toContain('(localhost): ');
  const yes = new Terminal();
  await yes.run('--yes');
  expect(yes.said).not.toContain('Name (');
});

test('a folder that has such files is refused before anything is asked', async () => {
  const terminal = new Terminal();
  await terminal.run('--yes');
  await expect(terminal.run()).rejects.toThrow('nothing was written, as these are there already');
});

test.each([
  ['Ctrl-C', (terminal: Terminal) => terminal.answer('Host (', ctrlC)],
  [
    'the end of the terminal',
    async (terminal: Terminal) => {
      await terminal.answer('Host (', '');
      terminal.close();
    },
  ],
])('%s writes nothing', async (_name, end) => {
  const terminal = new Terminal();
  const running = terminal.run();
  const cancelled = expect(running).rejects.toThrow(Cancelled);
  await terminal.answer('Name (', 'orders\r');
  await end(terminal);
  await cancelled;
  expect(readdirSync(terminal.directory)).toEqual([]);
});
