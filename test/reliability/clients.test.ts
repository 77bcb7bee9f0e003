import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientProcess } from '../../reliability/clients/client-process';
import { type AvailableClient, availableClients } from '../../reliability/clients/shipped-clients';
import { expectEachCounted } from './counting-client';

const { PATH: givenPath } = process.env;
const nodePath = process.execPath;

/** The clients of a machine that has nothing but Node. */
async function clientsOfNode(): ReturnType<typeof availableClients> {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-clients-'));
  process.env.PATH = directory;
  try {
    return await availableClients(directory, () => undefined, new AbortController().signal);
  } finally {
    process.env.PATH = givenPath;
    rmSync(directory, { recursive: true });
  }
}

test('a client that the machine lacks is named, with what is missing', async () => {
  const { available, missing } = await clientsOfNode();
  expect(available).toMatchObject([
    { client: { name: 'Node undici' }, version: expect.stringMatching(/^undici 7\.\d+\.\d+, Node \d+/) as string },
  ]);
  expect(missing).toEqual([
    { name: 'Go net/http', reason: 'go is not installed, or not on the PATH' },
    { name: 'Java java.net.http', reason: 'java is not installed, or not on the PATH' },
    { name: 'Python httpx', reason: 'python3 is not installed, or not on the PATH' },
  ]);
});

describe("a client's program", () => {
  let client: AvailableClient;
  const running: ClientProcess[] = [];

  beforeAll(async () => {
    const [first] = (await clientsOfNode()).available;
    if (first === undefined) throw new Error('undici is a dependency');
    client = first;
  });

  afterEach(() => {
    for (const process of running.splice(0)) process.kill();
  });

  function start(command: AvailableClient['command']): ClientProcess {
    const process = new ClientProcess(
      { ...client, command },
      {
        protocol: 'h2',
        url: 'https://localhost:1',
        certificateFile: '/dev/null',
        getPath: '/get',
        postPath: '/post',
        rate: 400,
      },
    );
    running.push(process);
    return process;
  }

  test.each(['h2', 'http/1.1'] as const)(
    'speaks %s, and counts each request and each failure once',
    async (protocol) => {
      await expectEachCounted(client, protocol);
    },
  );

  test('gives one error for all ports', async () => {
    const script = `process.stdin.resume().on('end', () => console.log(JSON.stringify({
      sent: 9, ok: 2, errors: { '127.0.0.1:40001: GOAWAY': 3, '127.0.0.1:40002: GOAWAY': 4 } })))`;
    const process = start([nodePath, '-e', script]);
    expect(await process.stop()).toEqual({ sent: 9, ok: 2, errors: { '127.0.0.1:N: GOAWAY': 7 } });
  });

  test('that ends by itself is reported with the last that it said', async () => {
    const process = start([nodePath, '-e', 'console.error("first\\nno such protocol"); process.exit(3)']);
    await expect(process.stop()).rejects.toThrow(
      'Node undici ended before it had counted its requests: no such protocol (exit code 3)',
    );
  });

  test('that ends before it has an answer is not waited for', async () => {
    const process = start([nodePath, '-e', 'process.exit(3)']);
    await expect(process.answered).rejects.toThrow('ended before it had counted its requests: exit code 3');
  });

  test('that cannot be started is reported', async () => {
    await expect(start(['/nonexistent/client']).stop()).rejects.toThrow(
      'Node undici ended before it had counted its requests: spawn /nonexistent/client ENOENT',
    );
  });
});
