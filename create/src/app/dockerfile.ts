import { commandLine } from '../../../local/shell-words';

/** What the last stage of a Dockerfile says, with what it has from the stages that it is made of. */
export interface Dockerfile {
  /** The image that it all begins with. */
  readonly base: string;
  readonly environment: Readonly<Record<string, string>>;
  /** `EXPOSE`, of TCP. */
  readonly ports: readonly number[];
  /** `ENTRYPOINT` and `CMD`, word by word; none if a shell is needed to read them. */
  readonly command: readonly string[];
  /** `USER`, without its group. */
  readonly user: string | undefined;
  /** What makes users, a command each. */
  readonly userCommands: readonly string[];
  /** What `HEALTHCHECK` asks for. */
  readonly healthCheckPath: string | undefined;
}

interface Stage extends Dockerfile {
  readonly names: readonly string[];
  /** `ENV` and `ARG`, which later lines may name. */
  readonly known: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly arguments: readonly string[];
}

/** Reads a Dockerfile as far as that matters here. */
export function dockerfile(text: string): Dockerfile | undefined {
  const stages: Stage[] = [];
  let before: Readonly<Record<string, string>> = {};
  for (const { name, rest } of instructions(text)) {
    const stage = stages.at(-1);
    if (name === 'FROM') {
      const [image = '', , as = ''] = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
      const base = substituted(image, before);
      const from = stages.find(({ names }) => names.includes(base.toLowerCase()));
      stages.push({ ...(from ?? empty(base)), names: [as.toLowerCase(), String(stages.length)] });
    } else if (stage === undefined) {
      if (name === 'ARG') before = { ...before, ...variables(rest, before) };
    } else {
      stages[stages.length - 1] = { ...stage, ...changed(stage, name, rest) };
    }
  }
  const last = stages.at(-1);
  return last === undefined ? undefined : { ...last, command: [...last.entrypoint, ...last.arguments] };
}

function empty(base: string): Stage {
  return {
    base,
    names: [],
    known: {},
    environment: {},
    ports: [],
    entrypoint: [],
    arguments: [],
    command: [],
    user: undefined,
    userCommands: [],
    healthCheckPath: undefined,
  };
}

function changed(stage: Stage, name: string, rest: string): Partial<Stage> {
  const { environment, known } = stage;
  const value = substituted(rest, known);
  const set = name === 'ENV' || name === 'ARG' ? variables(rest, known) : {};
  switch (name) {
    case 'ENV':
      return { environment: { ...environment, ...set }, known: { ...known, ...set } };
    case 'ARG':
      // It gives way to ENV, and is known while the image is built alone.
      return { known: { ...set, ...known } };
    case 'EXPOSE':
      return { ports: [...stage.ports, ...value.split(/\s+/).flatMap(tcpPort)] };
    case 'USER':
      return { user: value.split(':')[0] ?? '' };
    case 'ENTRYPOINT':
      return { entrypoint: words(value) };
    case 'CMD':
      return { arguments: words(value) };
    case 'RUN':
      return { userCommands: [...stage.userCommands, ...rest.split(/&&|\|\||[;|\n]/).filter(makesUser)] };
    case 'HEALTHCHECK':
      return { healthCheckPath: askedPath(value) };
    default:
      return {};
  }
}

/** Each with its lines joined, and without comments. */
function instructions(text: string): { readonly name: string; readonly rest: string }[] {
  return text
    .replaceAll(/^[ \t]*#.*\r?\n?/gm, '')
    .replaceAll(/\\[ \t]*\r?\n/g, ' ')
    .split(/\r?\n/)
    .flatMap((line) => {
      const [, name, rest] = /^\s*([A-Za-z]+)\s+(.*?)\s*$/.exec(line) ?? [];
      return name === undefined || rest === undefined ? [] : [{ name: name.toUpperCase(), rest }];
    });
}

/** `A=1 B="2 3"`, or `A 1`. */
function variables(rest: string, known: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = [...rest.matchAll(/([A-Za-z_]\w*)=(?:"([^"]*)"|'([^']*)'|(\S*))/g)];
  const [, name = '', value = ''] = /^([A-Za-z_]\w*)\s+(.*)$/.exec(rest) ?? [];
  const given = pairs.map(([, key = '', double, single, bare]) => [key, double ?? single ?? bare ?? ''] as const);
  if (given.length === 0 && name !== '') given.push([name, value]);
  return Object.fromEntries(given.map(([key, text]) => [key, substituted(text, known)]));
}

function substituted(text: string, known: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g, (whole, bare: string, braced: string, otherwise) => {
    return known[bare] ?? known[braced] ?? (typeof otherwise === 'string' ? otherwise : whole);
  });
}

function tcpPort(word: string): number[] {
  const [, port] = /^(\d{1,5})(?:-\d+)?(?:\/tcp)?$/i.exec(word) ?? [];
  return port === undefined ? [] : [Number(port)];
}

/** The words of `["node", "server.js"]`, or of `node server.js`. */
function words(value: string): string[] {
  if (value.startsWith('[')) {
    try {
      const list = JSON.parse(value) as unknown;
      return Array.isArray(list) ? list.filter((word) => typeof word === 'string') : [];
    } catch {
      return [];
    }
  }
  try {
    const { file, args } = commandLine('CMD', value.replace(/^exec\s+/, ''));
    return [file, ...args];
  } catch {
    return [];
  }
}

function makesUser(command: string): boolean {
  return /\b(?:adduser|useradd)\b/.test(command);
}

/** The path that a command asks this machine for. */
function askedPath(command: string): string | undefined {
  const host = String.raw`(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])`;
  const [, path] = new RegExp(String.raw`${host}(?::[\w$\{\}-]+)?(/[\w\-.~/]*)`).exec(command) ?? [];
  return path;
}

/** Users that images have. */
const knownUsers: Readonly<Record<string, number>> = { node: 1000, bun: 1000, nonroot: 65_532, nobody: 65_534 };

/** Images that run as a user who is a number, and not root, where nothing else is said: those of Red Hat as 1001. */
const ownNumber = /nonroot|cgr\.dev\/chainguard\/|\b(?:ubi|rhel)\d+\/nodejs-|\bsclorg\/nodejs-/;

/** Who the container runs as, as a number that Kubernetes can tell from root. */
export type ImageUser =
  | { readonly kind: 'number' }
  /** The number of the user that the image names, or one in place of root. */
  | { readonly kind: 'given'; readonly id: number; readonly from: string }
  | { readonly kind: 'unknown'; readonly name: string };

export function imageUser({ base, user, userCommands }: Dockerfile): ImageUser {
  if (user === undefined && ownNumber.test(base)) return { kind: 'number' };
  if (user === undefined) {
    return { kind: 'given', id: 1000, from: 'the Dockerfile has no USER, which is root if its base has none' };
  }
  if (/^\d+$/.test(user)) {
    if (Number(user) > 0) return { kind: 'number' };
    return { kind: 'given', id: 1000, from: 'in place of root' };
  }
  if (user === 'root') return { kind: 'given', id: 1000, from: 'in place of root' };
  const made = userCommands.find((command) => command.split(/\s+/).includes(user));
  const [, id] = /(?:\s-\w*u|\s--uid)[ =]?(\d+)\b/.exec(made ?? '') ?? [];
  const number = id === undefined ? knownUsers[user] : Number(id);
  return number === undefined || number === 0
    ? { kind: 'unknown', name: user }
    : { kind: 'given', id: number, from: `Dockerfile: USER ${user}` };
}
