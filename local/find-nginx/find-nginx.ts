import { isAbsolute } from 'node:path';
import { InvalidOption } from '../../validation/invalid-option';
import { Nginx, NginxSearch, NotFetched } from './nginx';
import { nginxExecutable } from './nginx-executable';
import { nginxFromDebian } from './nginx-from-debian';
import { nginxInDocker } from './nginx-in-docker';

export interface FindNginxOptions extends NginxSearch {
  /** Rejects if this nginx cannot run what it is meant for; then the next one is tried. @default - none */
  readonly suits?: (nginx: Nginx) => Promise<void>;
}

const sources = [
  { name: 'path', title: 'nginx on the PATH', find: (search: NginxSearch) => nginxFrom('nginx', search) },
  { name: 'debian', title: "Debian's package", find: nginxFromDebian },
  { name: 'docker', title: 'Docker', find: nginxInDocker },
] as const;

/**
 * The first nginx that suits: on the PATH, Debian's package in the user's cache, or in a running Docker engine.
 * The environment variable FAIRLEAD_NGINX takes one of them alone: `path`, `debian`, `docker`, or the path of an executable.
 */
export async function findNginx({ suits, ...search }: FindNginxOptions = {}): Promise<Nginx> {
  const failures: string[] = [];
  let isOffline = false;
  for (const { title, find } of chosenSources(process.env.FAIRLEAD_NGINX)) {
    try {
      const nginx = await find(search);
      await suits?.(nginx);
      return nginx;
    } catch (error) {
      search.signal?.throwIfAborted();
      isOffline ||= error instanceof NotFetched;
      failures.push(`  ${title}: ${error instanceof Error ? error.message.replaceAll('\n', '\n    ') : String(error)}`);
    }
  }
  const mend = isOffline
    ? 'An nginx has to be fetched once, and the network, or where it would come from, cannot be reached: connect this machine (behind a proxy, set http_proxy and https_proxy), or install nginx 1.30 or newer (with OpenSSL 3.5), and try again.'
    : 'Install nginx 1.30 or newer (with OpenSSL 3.5), or start Docker, and try again.';
  throw new Error(`No nginx on this machine can do it:\n${failures.join('\n')}\n${mend}`);
}

interface Source {
  readonly title: string;
  readonly find: (search: NginxSearch) => Promise<Nginx>;
}

function chosenSources(choice: string | undefined): readonly Source[] {
  if (choice === undefined || choice === '') return sources;
  if (isAbsolute(choice)) return [{ title: choice, find: (search) => nginxFrom(choice, search) }];
  const chosen = sources.filter(({ name }) => name === choice);
  if (chosen.length === 0) {
    const words = sources.map(({ name }) => name).join(', ');
    throw new InvalidOption('FAIRLEAD_NGINX', choice, `is unknown: give one of ${words}, or the path of an nginx`);
  }
  return chosen;
}

function nginxFrom(file: string, search: NginxSearch): Promise<Nginx> {
  return nginxExecutable(`(${file})`, { file, args: [] }, search);
}
