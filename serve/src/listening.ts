import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServeError } from './serve-error';

/** Where a server is to listen, and which variable says its port. */
export interface Place {
  /** 0 is any free one. */
  readonly port: number;
  /** Undefined is every address. */
  readonly host: string | undefined;
  readonly variable: string;
}

/** Resolves once it listens; rejects with a `ServeError` if it cannot. */
export function listen(server: Server, place: Place): Promise<AddressInfo> {
  const { port, host } = place;
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      reject(new ServeError(whyNotListening(error, place), error.code ?? '', { cause: error }));
    };
    server.once('error', refuse);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', refuse);
      resolve(server.address() as AddressInfo);
    });
  });
}

function whyNotListening({ code, message }: NodeJS.ErrnoException, { port, host, variable }: Place): string {
  const where = host === undefined ? '' : ` of ${host}`;
  if (code === 'EADDRINUSE') {
    return `Port ${port}${where} is taken by another program: stop it, or give another ${variable}`;
  }
  if (code === 'EACCES') {
    return `Port ${port}${where} needs a permission that is missing: give a ${variable} from 1024 on`;
  }
  return `Cannot listen on port ${port}${where}: ${message}`;
}

/** What listens there, as a reader can open it. */
export function url(host: string | undefined, port: number): string {
  const everywhere = host === undefined || host === '::' || host === '0.0.0.0';
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
