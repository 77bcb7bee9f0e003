import { relative } from 'node:path';
import { version as fairleadVersion } from '../../package.json';
import { hostName, imageReference } from '../../validation/names';
import { version } from '../package.json';
import { apiName } from './api-name';
import { foundApp, type FoundApp, frameworks } from './app/app';
import { help, typedOptions, type TypedOptions } from './command-line';
import { projectFiles } from './files/project-files';
import { nextCommands, notes } from './notes';
import { placeOf } from './place';
import {
  type Answers,
  defaultHealthCheckPath,
  defaultHost,
  defaultImage,
  defaultName,
  defaultPort,
  project,
  type Project,
} from './project';
import { interview, type Terminal } from './questions';
import { type Files, refuseExisting, writeFiles } from './write-files';

/** What it reads and writes; each may be a terminal. */
export interface Streams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** `npm create fairlead`: finds out, asks what is missing, writes everything or nothing, and says what comes next. */
export async function create(args: readonly string[], workingDirectory: string, streams: Streams): Promise<void> {
  const options = typedOptions(args, workingDirectory);
  const { output } = streams;
  if (options === 'help' || options === 'version') {
    output.write(options === 'help' ? help : `${version}\n`);
    return;
  }
  const place = placeOf(options.directory, workingDirectory);
  const app = place.app === undefined ? undefined : foundApp(place.app, place.repository);
  const projectWith = (answers: Answers): Project => project(place, app, options, answers, fairleadVersion);
  const filesWith = (answers: Answers): Files => projectFiles(projectWith(answers), app?.framework);
  const otherwise = defaults(options, defaultName(place, app), app);
  // Before anything is asked.
  refuseExisting(filesWith(otherwise), workingDirectory);
  if (app !== undefined) output.write(`${foundLines(app, projectWith(otherwise), options).join('\n')}\n\n`);
  const isAsked = !options.yes && streams.input.isTTY === true && output.isTTY === true;
  const answers = isAsked ? await asked(streams, options, otherwise.name, app) : otherwise;
  const files = filesWith(answers);
  writeFiles(files, workingDirectory);
  const made = projectWith(answers);
  output.write(
    [
      `${made.name}: ${made.image}, for https://${made.host}`,
      'Written:',
      ...[...files.keys()].map((path) => `  ${relative(workingDirectory, path)}`),
      ...section('Left to you:', notes(made, app, options)),
      ...section('Next:', nextCommands(made, app, workingDirectory)),
      '',
    ].join('\n'),
  );
}

function defaults({ name: given, host, image }: TypedOptions, found: string, app: FoundApp | undefined): Answers {
  const name = given ?? found;
  return { name, host: host ?? defaultHost(name), image: image ?? defaultImage(name, app) };
}

/** What was not given, the name first, as the others follow from it. */
function asked(terminal: Terminal, options: TypedOptions, found: string, app: FoundApp | undefined): Promise<Answers> {
  return interview(terminal, async (ask) => {
    const name =
      options.name ?? (await ask({ text: 'Name', otherwise: found, read: (answer) => apiName('name', answer) }));
    const { host, image } = defaults(options, name, app);
    return {
      name,
      host: options.host ?? (await ask({ text: 'Host', otherwise: host, read: (answer) => hostName('host', answer) })),
      image:
        options.image ??
        (await ask({ text: 'Image', otherwise: image, read: (answer) => imageReference('image', answer) })),
    };
  });
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

/** What was found, and where, so that what is wrong is seen. */
function foundLines(app: FoundApp, { port, healthCheck, local, user }: Project, options: TypedOptions): string[] {
  const typed = (option: unknown, from: string | undefined): string | undefined =>
    option === undefined ? from : 'as you say';
  const language = { typescript: 'TypeScript', javascript: 'JavaScript' };
  const what = [app.framework && frameworks[app.framework], app.language && language[app.language]];
  const rows: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['port', String(port ?? defaultPort), typed(options.port, app.port.from)],
    [
      'health check',
      (healthCheck ?? app.healthCheck) && pathsOf(healthCheck),
      typed(options.healthCheckPath, app.healthCheck?.from),
    ],
    ['start', local?.command.join(' '), typed(options.command, app.start?.from)],
    ['user', user === undefined ? undefined : String(user), app.user?.kind === 'given' ? app.user.from : undefined],
  ];
  return [
    `Found ${printable(app.title)}: ${what.filter(Boolean).join(', ') || 'an app that is not of Node'}`,
    ...rows.flatMap(([name, value, from]) =>
      value === undefined
        ? []
        : [`  ${name.padEnd(13)} ${printable(value)}${from === undefined ? '' : `  (${printable(from)})`}`],
    ),
  ];
}

function pathsOf(healthCheck: Project['healthCheck']): string {
  return Object.values(healthCheck ?? { path: defaultHealthCheckPath }).join(', ');
}

/** Files of others may have names that move a terminal's cursor. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}
