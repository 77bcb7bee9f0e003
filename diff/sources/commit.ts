import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { Failure } from '../../cluster/command-line';
import { ExternalCommandFailure, run } from '../../cluster/external-command';
import type { Manifest } from '../objects/manifest';
import { say } from '../text';
import { manifestsBelow } from './folder';
import type { Source } from './source';

/** The commit that a word names, by its hash; undefined if it names none, or if this is no repository. */
export async function commitNamed(word: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    return (await run('git', ['rev-parse', '--verify', '--quiet', `${word}^{commit}`], { signal })).trim();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ExternalCommandFailure) return undefined;
    throw error;
  }
}

/** Checkouts of commits, in a temporary folder: worktrees of git, which are removed again. The files here stay as they are. */
export class Checkouts {
  private directory: string | undefined;
  private readonly worktrees: string[] = [];

  /** What the app in this folder would have written at another commit, with what is installed now. */
  async manifestsOf(word: string, commit: string, signal?: AbortSignal): Promise<Source> {
    const repository = realpathSync((await run('git', ['rev-parse', '--show-toplevel'], { signal })).trim());
    const here = realpathSync('.');
    const app = relative(repository, here);
    this.directory ??= mkdtempSync(join(realpathSync(tmpdir()), 'fairlead-diff-'));
    const worktree = join(this.directory, `worktree-${this.worktrees.length}`);
    this.worktrees.push(worktree);
    // A hook of the repository may do anything at a checkout.
    await run('git', ['-c', 'core.hooksPath=/dev/null', 'worktree', 'add', '--detach', worktree, commit], { signal });
    const there = join(worktree, app);
    if (!existsSync(join(there, 'cdk8s.yaml'))) {
      throw new Failure(
        `${word}: has no ${join(app, 'cdk8s.yaml')}, which says what is synthesized: give a commit that has one, or a folder of manifests`,
      );
    }
    linkModules(repository, app, worktree);
    shareKeyPairs(here, there, join(this.directory, 'key-pairs'));
    const output = `${worktree}-dist`;
    await synthesize(word, here, there, output, signal);
    return {
      name: `${word} (${commit.slice(0, 7)})`,
      manifests: manifestsWritten(word, output),
      notes: isInstalledForAnother(here, there)
        ? [say`${word} has another package-lock.json: it was synthesized with what is installed here`]
        : [],
    };
  }

  async remove(): Promise<void> {
    for (const worktree of this.worktrees) {
      rmSync(worktree, { recursive: true, force: true });
      try {
        // Twice: git locks one for as long as it makes it.
        await run('git', ['worktree', 'remove', '--force', '--force', worktree]);
      } catch {
        // git knows nothing of it: it was not made.
      }
    }
    if (this.directory !== undefined) rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What an app has written; refuses one that has written nothing. */
function manifestsWritten(word: string, output: string): readonly Manifest[] {
  const manifests = manifestsBelow(output, (path) => `${word}: ${path}`);
  if (manifests.length > 0) return manifests;
  throw new Failure(
    `${word}: cdk8s synth writes no manifests there: give a commit at which it writes some, or a folder of manifests`,
  );
}

/** Self-signed certificates are made anew where none is kept, and would differ from one commit to another. */
function shareKeyPairs(here: string, there: string, shared: string): void {
  if (!existsSync(shared)) {
    mkdirSync(shared, { mode: 0o700 });
    const kept = join(here, '.fairlead');
    const names = existsSync(kept) ? readdirSync(kept) : [];
    for (const name of names.filter((each) => existsSync(join(kept, each, 'tls.key')))) {
      cpSync(join(kept, name), join(shared, name), { recursive: true });
    }
  }
  if (!existsSync(join(there, '.fairlead'))) symlinkSync(shared, join(there, '.fairlead'));
}

/** Folders of node_modules from the app up to the root of the repository, where Node looks for them. */
function linkModules(repository: string, app: string, worktree: string): void {
  for (let folder = app; ; folder = dirname(folder)) {
    const modules = resolve(repository, folder, 'node_modules');
    const link = join(worktree, folder, 'node_modules');
    if (existsSync(modules) && existsSync(dirname(link)) && !existsSync(link)) symlinkSync(modules, link);
    if (folder === '' || folder === '.') return;
  }
}

async function synthesize(
  word: string,
  here: string,
  there: string,
  output: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await run(process.execPath, [cdk8sCli(here), 'synth', `--output=${output}`, '--check-upgrade=false'], {
      cwd: there,
      signal,
    });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    throw new Failure(
      `${word}: cdk8s synth fails there: give a commit at which it does not, or a folder of manifests. It said:\n${(error.stderr || error.stdout).trim()}`,
    );
  }
}

function cdk8sCli(here: string): string {
  try {
    return join(dirname(createRequire(join(here, 'package.json')).resolve('cdk8s-cli/package.json')), 'bin', 'cdk8s');
  } catch {
    throw new Failure(
      `${here}: has no cdk8s-cli, which would synthesize a commit: npm install --save-dev cdk8s-cli, or give two folders of manifests`,
    );
  }
}

function isInstalledForAnother(here: string, there: string): boolean {
  const [one, other] = [here, there].map((folder) => {
    const file = join(folder, 'package-lock.json');
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  });
  return one !== other;
}
