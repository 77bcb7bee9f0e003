import type { Directive } from './parsed-conf';
import { type Reading, type Said, writtenAs } from './reading';
import { requestUri } from './request';

/** Who answers a request: backends, an external service, or nginx itself. */
export function answeredBy(reading: Reading): Said {
  const { way, location, passed } = reading;
  if (passed !== undefined) return forwarded(reading, passed);
  const own = way.location === undefined ? way.server.body : location;
  const find = (wanted: string): Directive | undefined => own.find(({ name }) => name === wanted);
  const answer = find('return');
  if (answer !== undefined) return returned(reading, answer);
  const files = find('try_files');
  if (files !== undefined) {
    const root = find('root')?.args[0] ?? '';
    return { shown: `files of ${root}`, meaning: `${root} ${reading.meaningOf(files)}` };
  }
  if (way.location === undefined) return { shown: '404, as no path of the host fits', meaning: 'no path' };
  const rest = own.map((directive) => reading.meaningOf(directive)).join('; ');
  return { shown: own.map(writtenAs).join('; ').slice(0, 80), meaning: rest };
}

function forwarded(reading: Reading, passed: Directive): Said {
  const [, scheme = '', uri = ''] = /^(\w+):\/\/(?:\$\{\w+\}|\$\w+|[^$/]+)([^]*)$/.exec(passed.args[0] ?? '') ?? [];
  const backends = reading.backends(passed);
  const sent = requestUri(reading.request);
  const asked = uri === '' ? sent : reading.evaluated(uri);
  const isAsked = asked === sent ? '' : `, asked for ${asked}`;
  const [only] = backends;
  const who =
    backends.length === 1 && only !== undefined
      ? described(reading, only.name)
      : `backends ${backends.map(({ name, share }) => `${name}${share === undefined ? '' : ` ${share}`}`).join(', ')}`;
  const protocol = passed.name === 'grpc_pass' ? ' by gRPC' : scheme === 'https' ? ' over TLS' : '';
  return {
    shown: `${who}${protocol}${isAsked}`,
    meaning: `${passed.name} ${scheme} ${JSON.stringify(backends)} ${reading.meaning(uri)}`,
  };
}

function described({ door }: Reading, upstream: string): string {
  const servers = door.upstream(upstream);
  const isBackend = servers.some(({ name, args }) => name === 'zone' && args[0] === `backend_${upstream}`);
  if (isBackend) return `backend ${upstream}`;
  return `external service ${servers.find(({ name }) => name === 'server')?.args[0] ?? upstream}`;
}

function returned(reading: Reading, answer: Directive): Said {
  const { args } = answer;
  const [status = '', text] = args.length === 1 && !/^\d+$/.test(args[0] ?? '') ? ['302', ...args] : args;
  const meaning = reading.meaningOf(answer);
  if (/^30[12378]$/.test(status)) {
    return { shown: `a redirect, ${status} to ${reading.evaluated(text ?? '')}`, meaning };
  }
  const type = reading.effective('default_type')[0]?.args[0] ?? '';
  const pieces = reading.location.filter((each) => each.name === 'set' && each.args[0]?.startsWith('$piece_') === true);
  const isNoRoute = status === '404' && text === undefined;
  return {
    shown: isNoRoute ? '404, as no route fits' : `nginx itself, ${status}${text === undefined ? '' : `, ${type}`}`,
    meaning: [meaning, type, ...pieces.map((piece) => reading.meaningOf(piece))].join(' '),
  };
}
