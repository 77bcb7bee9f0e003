import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from '../../cluster/command-line';
import { run } from '../../cluster/external-command';

/** A client of HTTP/2 that others ship, and its program here. */
export interface ShippedClient {
  readonly name: string;
  /** What it does when a server sends GOAWAY, in Markdown. */
  readonly onGoaway: string;
  /** Which version mends that, in Markdown. */
  readonly mended: string;
  /** Makes its program ready in a directory, and gives the command; rejects with what this machine lacks. */
  readonly prepare: (directory: string, signal: AbortSignal) => Promise<Command>;
}

export type Command = readonly [file: string, ...args: string[]];

/** One that this machine has. */
export interface AvailableClient {
  readonly client: ShippedClient;
  readonly command: Command;
  /** Of the client, and of what runs it. */
  readonly version: string;
}

/** One that this machine does not have. */
export interface MissingClient {
  readonly name: string;
  readonly reason: string;
}

const programs = resolve('reliability', 'clients');

export const shippedClients: readonly ShippedClient[] = [
  {
    name: 'Go net/http',
    onGoaway: 'sends again what the server says that it has not processed, and waits for the rest',
    mended: 'does it right',
    prepare: async (directory, signal) => {
      const binary = join(directory, 'go-net-http');
      await run('go', ['build', '-o', binary, join(programs, 'go-net-http.go')], { signal });
      return [binary];
    },
  },
  {
    name: 'Java java.net.http',
    onGoaway: 'before JDK 24 fails every request that is under way on the connection',
    mended: 'JDK 24 ([JDK-8335181](https://bugs.openjdk.org/browse/JDK-8335181))',
    // It lives for a minute: compiling for longer runs would take the time of what is measured.
    prepare: () =>
      Promise.resolve(['java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', join(programs, 'JavaNetHttp.java')]),
  },
  {
    name: 'Python httpx',
    onGoaway:
      'sends most of what was not processed again, and fails what the server accepted and has not answered ([h2#1181](https://github.com/python-hyper/h2/issues/1181))',
    mended:
      'no version yet, nor httpx2 2.16 ([httpcore#1054](https://github.com/encode/httpcore/pull/1054) is open); HTTP/2 is off by default',
    prepare: async (directory, signal) => {
      const environment = join(directory, 'python');
      const python = join(environment, 'bin', 'python');
      await run('python3', ['-m', 'venv', environment], { signal });
      await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...pythonPackages], {
        signal,
      });
      return [python, join(programs, 'python_httpx.py')];
    },
  },
  {
    name: 'Node undici',
    onGoaway: 'before 8.2 fails every request that is under way on the connection',
    mended:
      'undici 8.2 ([undici#5089](https://github.com/nodejs/undici/issues/5089)), and 8.6 again after 8.4 and 8.5 ([undici#5468](https://github.com/nodejs/undici/issues/5468)); not 7; HTTP/2 is off by default in 7',
    prepare: () => Promise.resolve([process.execPath, join(programs, 'node-undici.mjs')]),
  },
];

const pythonPackages = ['httpx[http2]==0.28.1', 'httpcore==1.0.9', 'h2==4.4.1'];

/** Makes the programs ready that this machine can run, and says what it lacks for the others. */
export async function availableClients(
  directory: string,
  doing: (detail: string) => void,
  signal: AbortSignal,
): Promise<{ readonly available: readonly AvailableClient[]; readonly missing: readonly MissingClient[] }> {
  mkdirSync(directory, { recursive: true });
  const available: AvailableClient[] = [];
  const missing: MissingClient[] = [];
  for (const client of shippedClients) {
    doing(client.name);
    try {
      const command = await client.prepare(directory, signal);
      const [file, ...args] = command;
      available.push({ client, command, version: (await run(file, args, { signal })).trim() });
    } catch (error) {
      if (signal.aborted || !(error instanceof Failure)) throw error;
      missing.push({ name: client.name, reason: error.message });
    }
  }
  return { available, missing };
}
