import { resolve } from 'node:path';
import { Failure } from '../cluster/command-line';
import { ExternalCommandFailure, run } from '../cluster/external-command';
import type { Packed, ReleasePackage } from './packages';

/** The hash of what the registry has of a version; undefined if it has none. */
async function publishedIntegrity({ name, version }: ReleasePackage, signal: AbortSignal): Promise<string | undefined> {
  try {
    const options = ['--json', '--fetch-retries=0'];
    const said = (await run('npm', ['view', `${name}@${version}`, 'dist.integrity', ...options], { signal })).trim();
    return said === '' ? undefined : (JSON.parse(said) as string);
  } catch (error) {
    if (error instanceof ExternalCommandFailure && codeOf(error) === 'E404') return undefined;
    throw error;
  }
}

/** npm's own word for what went wrong: `E404`, `ENOTFOUND`. */
function codeOf({ stdout, stderr, message }: ExternalCommandFailure): string {
  return /\bcode"?:? "?(E\w+)/.exec(`${stderr}\n${stdout}`)?.[1] ?? message;
}

/** Which versions the registry has already, a line each; where it cannot be asked, that is said on standard error. */
export async function publishedRefusals(packages: readonly ReleasePackage[], signal: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  for (const each of packages) {
    try {
      if ((await publishedIntegrity(each, signal)) !== undefined) lines.push(alreadyPublished(each));
    } catch (error) {
      if (!(error instanceof ExternalCommandFailure)) throw error;
      process.stderr.write(
        `The registry cannot be asked (${codeOf(error)}): whether it has ${each.version} already is not known\n`,
      );
      break;
    }
  }
  return lines;
}

function alreadyPublished({ name, version }: ReleasePackage): string {
  return `${name} ${version} is on the registry already: give the packages another version`;
}

/** Publishes tarballs of a folder in order. What is there of the same content stays, so that a run that was cut short goes on. */
export async function publish(packed: readonly Packed[], folder: string, signal: AbortSignal): Promise<void> {
  const missing: Packed[] = [];
  for (const each of packed) {
    const there = await publishedIntegrity(each, signal);
    if (there === undefined) missing.push(each);
    else if (there !== each.integrity) throw new Failure(alreadyPublished(each));
    else process.stdout.write(`${each.name} ${each.version} was published before\n`);
  }
  for (const [index, { name, version, file }] of missing.entries()) {
    // A version such as 1.0.0-rc.1 is not what others get unless they ask for it.
    const tag = version.includes('-') ? ['--tag=next'] : [];
    try {
      const options = ['--provenance', '--access=public', ...tag];
      await run('npm', ['publish', resolve(folder, file), ...options], { signal });
    } catch (error) {
      if (!(error instanceof ExternalCommandFailure)) throw error;
      const others = missing.slice(index).map((each) => each.name);
      throw new Failure(
        `${error.stderr.trim()}\n${name} was not published (${codeOf(error)}): run this job again, which publishes what is missing: ${others.join(', ')}`,
      );
    }
    process.stdout.write(`${name} ${version} is published\n`);
  }
}
