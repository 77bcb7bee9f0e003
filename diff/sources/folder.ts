import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parseAllDocuments } from 'yaml';
import { Failure } from '../../cluster/command-line';
import { type Manifest, manifestsOf } from '../objects/manifest';

export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** All objects of the manifests of a folder, and of those below it. */
export function manifestsOfFolder(directory: string): readonly Manifest[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:ya?ml|json)$/.test(path) && statSync(join(directory, path)).isFile())
    .sort();
  const manifests = files.flatMap((path) => manifestsOfFile(join(directory, path)));
  if (manifests.length === 0) {
    throw new Failure(`${directory}: has no manifests: give a folder that cdk8s synth has written, such as dist`);
  }
  return manifests;
}

function manifestsOfFile(file: string): readonly Manifest[] {
  // As cdk8s writes it, and as kubectl reads it.
  const documents = parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' });
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
