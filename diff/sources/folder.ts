import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parseAllDocuments } from 'yaml';
import { Failure } from '../../cluster/command-line';
import { type Manifest, manifestsOf } from '../objects/manifest';

export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** All objects of the manifests of a folder, and of those below it; refuses a folder without any. */
export function manifestsOfFolder(directory: string): readonly Manifest[] {
  const manifests = manifestsBelow(directory, (path) => join(directory, path));
  if (manifests.length === 0) {
    throw new Failure(`${directory}: has no manifests: give a folder that cdk8s synth has written, such as dist`);
  }
  return manifests;
}

/** The same, though there may be none; `nameOf` is what a file is called where it is wrong. */
export function manifestsBelow(directory: string, nameOf: (path: string) => string): readonly Manifest[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => mayHaveManifests(directory, path))
    .sort();
  return files.flatMap((path) => manifestsIn(readFileSync(join(directory, path), 'utf8'), nameOf(path)));
}

/** What is installed may have manifests too, which nobody applies. */
function mayHaveManifests(directory: string, path: string): boolean {
  if (!/\.(?:ya?ml|json)$/.test(path) || /(?:^|[\\/])node_modules[\\/]/.test(path)) return false;
  // A link may lead nowhere.
  return statSync(join(directory, path), { throwIfNoEntry: false })?.isFile() === true;
}

function manifestsIn(text: string, file: string): readonly Manifest[] {
  // A file for another program need not be YAML: JSON with comments is not.
  if (!text.includes('apiVersion')) return [];
  // As cdk8s writes it, and as kubectl reads it.
  const documents = parseAllDocuments(text, { version: '1.1' });
  return [...documents].flatMap((document) => manifestsOf(valueOf(document, file)));
}

function valueOf(document: Document.Parsed, file: string): unknown {
  const [error] = document.errors;
  if (error !== undefined) throw notYaml(file, error.message);
  try {
    return document.toJS();
  } catch (failure) {
    // An alias whose anchor is not there, such as *.example.com without quotes.
    throw notYaml(file, (failure as Error).message);
  }
}

function notYaml(file: string, message: string): Failure {
  const [line = ''] = message.split('\n');
  return new Failure(`${file}: is not YAML: ${line.replace(/:$/, '')}: mend it, or synthesize again`);
}
