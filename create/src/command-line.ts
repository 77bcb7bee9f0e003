import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine } from '../../local/shell-words';
import { port } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import { hostName, imageReference, oneOf, urlPath } from '../../validation/names';
import { apiName } from './api-name';
import { UsageError } from './usage-error';

export const languages = ['typescript', 'javascript'] as const;
export type Language = (typeof languages)[number];

/** What was typed; whatever was not is asked for, found in the app, or has a default. */
export interface TypedOptions {
  readonly directory: string | undefined;
  readonly name: string | undefined;
  readonly host: string | undefined;
  readonly image: string | undefined;
  readonly port: number | undefined;
  readonly healthCheckPath: string | undefined;
  readonly command: readonly string[] | undefined;
  readonly language: Language | undefined;
  /** A version, a file (as an absolute path), or whatever else npm takes. */
  readonly fairlead: FairleadSource | undefined;
  /** Nothing is asked. */
  readonly yes: boolean;
}

export type FairleadSource = { readonly file: string } | { readonly version: string };

export const help = `create-fairlead: what a team needs to deploy its API with fairlead

Usage: npm create fairlead [FOLDER] [-- options]

In the folder of an app it finds out how that is run, and writes into its folder deploy/; elsewhere it writes into the folder
that is given, or the one that it runs in. No file that is there is ever changed.

  --directory FOLDER         the same as FOLDER
  --name NAME                what the API is called in the cluster (the app's own name)
  --host NAME                the DNS name that clients ask for (NAME.example.com)
  --image IMAGE              its image (ghcr.io/OWNER/NAME:VERSION, as package.json and git say)
  --port PORT                the port that the image listens on (found in the app, or 3000)
  --health-check-path PATH   answers 2xx when the API works (found in the app, or /healthcheck)
  --command "PROGRAM ARG …"  what runs the app on this machine (found in the app)
  --language LANGUAGE        typescript or javascript (that of the app, or typescript)
  --fairlead SOURCE          the fairlead that is installed: a version, a file such as ../fairlead-0.1.0.tgz, or a URL
  -y, --yes                  asks nothing, and takes what was found; the same where there is no terminal
  --version
  --help                     this text
`;

/** Reads the command line. */
export function typedOptions(args: readonly string[], workingDirectory: string): TypedOptions | 'help' | 'version' {
  const { values, positionals } = parsed(args);
  if (values.help === true) return 'help';
  if (values.version === true) return 'version';
  const command = given('--command', values.command, commandLine);
  return {
    directory: folder(values.directory, positionals),
    name: given('--name', values.name, apiName),
    host: given('--host', values.host, hostName),
    image: given('--image', values.image, imageReference),
    port: given('--port', values.port, (option, text) => port(option, /^\d{1,9}$/.test(text) ? Number(text) : text)),
    healthCheckPath: given('--health-check-path', values['health-check-path'], urlPath),
    command: command === undefined ? undefined : [command.file, ...command.args],
    language: given('--language', values.language, (option, text) => oneOf(option, text, languages)),
    fairlead: given('--fairlead', values.fairlead, (option, text) => fairleadSource(option, text, workingDirectory)),
    yes: values.yes === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        directory: { type: 'string' },
        name: { type: 'string' },
        host: { type: 'string' },
        image: { type: 'string' },
        port: { type: 'string' },
        'health-check-path': { type: 'string' },
        command: { type: 'string' },
        language: { type: 'string' },
        fairlead: { type: 'string' },
        yes: { type: 'boolean', short: 'y' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const message = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    throw new UsageError(`${message.replace(/\.$/, '')}; --help shows the options`);
  }
}

function given<Value>(
  option: string,
  text: string | undefined,
  read: (option: string, text: string) => Value,
): Value | undefined {
  return text === undefined ? undefined : read(option, text);
}

function folder(option: string | undefined, [first, ...others]: readonly string[]): string | undefined {
  const another = option === undefined ? others[0] : first;
  if (another !== undefined) {
    throw new UsageError(`${JSON.stringify(another)} is one folder too many: give one; npm needs -- before options`);
  }
  const path = option ?? first;
  if (path === '') throw new InvalidOption('--directory', path, 'is not a folder: give one, such as "deploy"');
  return path;
}

/** A file is told from all else by its ending and by how it begins. */
function fairleadSource(option: string, text: string, workingDirectory: string): FairleadSource {
  const path = text.startsWith('file:') ? text.slice('file:'.length) : text;
  const isFile = path !== text || /^\.{0,2}\//.test(text) || (text.endsWith('.tgz') && !/^\w+:/.test(text));
  if (!isFile) {
    if (/^[\w^~@:/.+#-]+$/.test(text)) return { version: text };
    throw new InvalidOption(option, text, 'is nothing that npm installs: give a version, a file or a URL');
  }
  const file = resolve(workingDirectory, path);
  if (existsSync(file)) return { file };
  throw new InvalidOption(option, text, `is not there: ${JSON.stringify(file)} was looked for`);
}
