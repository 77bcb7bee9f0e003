import type { Dockerfile } from './dockerfile';
import type { SourceFile } from './source-files';

/** The port of an app, and where it says so. */
export interface FoundPort {
  readonly port: number | undefined;
  readonly from: string;
  /** Whether it listens where `PORT` says, which fairlead tells it. */
  readonly readsPort: boolean;
  /** Another variable that it asks for its port. */
  readonly otherVariable: string | undefined;
}

/** Where sources ask for a port by a variable of this name: as they are, by a configuration, by a schema. */
function mentions(name: string): RegExp {
  const key = String.raw`['"\`]${name}['"\`]`;
  return new RegExp(
    [
      String.raw`\benv\.${name}\b`,
      String.raw`\benv\[\s*${key}\s*\]`,
      String.raw`\.get\w*\s*(?:<[^>]*>)?\(\s*${key}`,
      // A schema: `PORT: z.coerce.number().default(3000)`, `PORT: port({ default: 3000 })`.
      String.raw`\b${name}\s*:\s*(?:z\.|joi\.|Joi\.|Type\.|t\.|port\(|num\(|str\(|makeValidator)`,
      // convict: `{ env: 'PORT', default: 3000 }`, in any order.
      String.raw`\benv\s*:\s*${key}`,
      String.raw`\{[^{}]*\b${name}\b[^{}]*\}\s*=\s*(?:process\.)?env\b`,
    ].join('|'),
    'g',
  );
}

/** What is said after such a place, or in it, if `PORT` says nothing. */
function defaultOf(text: string, match: RegExpExecArray): number | undefined {
  const inside = /\bPORT\b\s*(?::\s*\w+\s*)?=\s*['"`]?(\d{2,5})/.exec(match[0])?.[1];
  if (inside !== undefined) return Number(inside);
  const end = match.index + match[0].length;
  const [line = ''] = text.slice(end, end + 200).split(/[;\n](?!\s*(?:\.|\|\||\?|:))/);
  // What follows a comma is the default of `get('PORT', 3000)`, and of nothing else.
  const before = [String.raw`\|\|`, String.raw`\?\?`, String.raw`\?[^;:]*:`, String.raw`\bdefault\s*[(:]`];
  const form = (match[0].startsWith('.get') ? [...before, ','] : before).join('|');
  const after = line.matchAll(new RegExp(String.raw`(?:${form})\s*(?:Number\()?['"\`]?(\d{1,5})\b`, 'g'));
  // parseInt(…, 10) is no port.
  const found = [...after].map(([, digits]) => Number(digits)).find(isPort);
  if (found !== undefined || !match[0].startsWith('env')) return found;
  const group = text.slice(text.lastIndexOf('{', match.index), text.indexOf('}', end) + 1);
  const given = /\bdefault\s*:\s*['"`]?(\d{2,5})\b/.exec(group)?.[1];
  return given === undefined ? undefined : Number(given);
}

function isPort(number: number): boolean {
  return number >= 80 && number <= 65_535;
}

/** By what the image says if the app goes by `PORT`, as any port will do then; else by what it listens on. */
export function foundPort(files: readonly SourceFile[], docker: Dockerfile | undefined, settings: string): FoundPort {
  const asked = askedFor('PORT', files);
  const ports = docker?.ports ?? [];
  if (asked !== undefined) {
    const exposed = ports.find((port) => port === asked.port) ?? ports[0];
    const told = Number(docker?.environment.PORT ?? '');
    const [first] = [
      isPort(told) ? { port: told, from: 'Dockerfile: ENV PORT' } : undefined,
      exposed === undefined ? undefined : { port: exposed, from: 'Dockerfile: EXPOSE' },
      portOfSettings(settings),
      asked.port === undefined ? undefined : { port: asked.port, from: asked.from },
    ].filter((choice) => choice !== undefined);
    return { port: first?.port, from: first?.from ?? asked.from, readsPort: true, otherVariable: undefined };
  }
  const [exposed] = ports;
  const listened = listenedOn(files);
  const other = otherVariable(files);
  const otherwise = other === undefined ? undefined : askedFor(other, files);
  const port = listened?.port ?? exposed ?? otherwise?.port;
  const from =
    listened?.from ?? (exposed === undefined ? (otherwise?.from ?? 'nothing says which') : 'Dockerfile: EXPOSE');
  return { port, from, readsPort: false, otherVariable: other };
}

interface Asked {
  readonly port: number | undefined;
  readonly from: string;
}

function askedFor(name: string, files: readonly SourceFile[]): Asked | undefined {
  const all = files.flatMap(({ path, text }) =>
    [...text.matchAll(mentions(name))].map((match) => ({ port: defaultOf(text, match), from: path })),
  );
  return all.find(({ port }) => port !== undefined) ?? all[0];
}

/** A `.env`, or an example of one. */
function portOfSettings(settings: string): { readonly port: number; readonly from: string } | undefined {
  const [, digits] = /^\s*(?:export\s+)?PORT\s*=\s*['"]?(\d{2,5})\b/m.exec(settings) ?? [];
  return digits === undefined ? undefined : { port: Number(digits), from: '.env' };
}

/** A number in `listen(…)`, or a constant that it is given. */
function listenedOn(files: readonly SourceFile[]): { readonly port: number; readonly from: string } | undefined {
  for (const { path, text } of files) {
    for (const [, given = ''] of text.matchAll(/\.listen\s*\(([^)]{0,200})/g)) {
      const direct = /^\s*(\d{2,5})\b/.exec(given)?.[1] ?? /\bport\s*:\s*(\d{2,5})\b/.exec(given)?.[1];
      const name =
        /\bport\s*:\s*([A-Za-z_$][\w$]*)/.exec(given)?.[1] ??
        /^\s*\{[^}]*\b(port)\b/.exec(given)?.[1] ??
        /^\s*([A-Za-z_$][\w$]*)/.exec(given)?.[1];
      const digits = direct ?? (name === undefined ? undefined : constant(name, text));
      if (digits !== undefined) return { port: Number(digits), from: path };
    }
  }
  return undefined;
}

function constant(name: string, text: string): string | undefined {
  const escaped = name.replaceAll('$', String.raw`\$`);
  return new RegExp(String.raw`\b(?:const|let|var)\s+${escaped}\s*(?::\s*\w+\s*)?=\s*['"]?(\d{2,5})\b`).exec(text)?.[1];
}

/** `APP_PORT`, `SERVER_PORT`: of an app that is told its port by another name. */
function otherVariable(files: readonly SourceFile[]): string | undefined {
  const names = files.flatMap(({ text }) =>
    [...text.matchAll(/\benv\.((?:APP|API|HTTP|SERVER|SERVICE|NODE|FASTIFY)_PORT)\b/g)].map(([, name]) => name),
  );
  return names[0];
}
