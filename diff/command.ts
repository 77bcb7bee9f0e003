import { endWithReader, Failure, untilSignal } from '../cluster/command-line';
import { Kubectl } from '../cluster/kubectl';
import { Output } from '../local/terminal/output';
import { UsageError } from '../local/start-options';
import { asked } from './asking/ask';
import { differenceOf, isNothing } from './difference';
import { type Format, markdownReport, terminalReport } from './formats';
import { reportOf } from './report';
import { manifestsOfCluster } from './sources/cluster';
import { Checkouts, commitNamed } from './sources/commit';
import { isFolder, manifestsOfFolder } from './sources/folder';
import type { Source } from './sources/source';

export interface DiffOptions {
  /** A folder or a commit. @default - a cluster */
  readonly before?: string | undefined;
  /** @default 'dist' */
  readonly after?: string | undefined;
  /** Of the kubeconfig. @default - the current one */
  readonly context?: string | undefined;
  readonly format: Format;
  /** Whether a real nginx is asked each request that is said. */
  readonly ask: boolean;
  /** Whether it ends with exit code 1 if anything differs. */
  readonly exitCode: boolean;
}

/** `fairlead diff`: prints what applying one over the other does. */
export function diff(options: DiffOptions): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    endWithReader();
    const { old, young } = await sources(options, signal);
    await print(old, young, options, signal);
  });
}

/** What is compared. Checkouts are gone before anything is printed: nobody may read it to its end. */
async function sources(
  { before, after = 'dist', context }: DiffOptions,
  signal: AbortSignal,
): Promise<{ readonly old: Source; readonly young: Source }> {
  const checkouts = new Checkouts();
  try {
    // One after the other: what is typed wrong is said before anything is asked or synthesized.
    const one = before === undefined ? undefined : await side(before, checkouts, signal);
    const other = await side(after, checkouts, signal);
    const young = await other();
    const kubectl = new Kubectl(context === undefined ? {} : { context });
    const old = one === undefined ? await manifestsOfCluster(kubectl, context, young.manifests, signal) : await one();
    return { old, young };
  } finally {
    await checkouts.remove();
  }
}

async function print(
  old: Source,
  young: Source,
  { format, ask, exitCode }: DiffOptions,
  signal: AbortSignal,
): Promise<void> {
  const computed = differenceOf(old.manifests, young.manifests);
  const { difference, notes } = ask ? await asked(computed, signal) : { difference: computed, notes: [] };
  const compared = { before: old.name, after: young.name, notes: [...old.notes, ...young.notes, ...notes] };
  const report = reportOf(difference, compared);
  const output = new Output(process.stdout);
  if (format === 'markdown') process.stdout.write(markdownReport(report));
  else output.block(terminalReport(report, output));
  if (exitCode && !isNothing(difference)) process.exitCode = 1;
}

/** What gives the manifests that a word names. */
async function side(word: string, checkouts: Checkouts, signal: AbortSignal): Promise<() => Source | Promise<Source>> {
  if (isFolder(word)) return () => ({ name: word, manifests: manifestsOfFolder(word), notes: [] });
  const commit = await commitNamed(word, signal);
  if (commit !== undefined) return () => checkouts.manifestsOf(word, commit, signal);
  if (word === 'dist')
    throw new Failure('dist is not there: run npx cdk8s synth before, or give a folder of manifests');
  throw new UsageError(
    `diff: ${JSON.stringify(word)} is neither a folder here nor a commit: give a folder of manifests, such as dist.before, or a commit, such as main`,
  );
}
