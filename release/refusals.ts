import { Failure } from '../cluster/command-line';
import { ExternalCommandFailure, run } from '../cluster/external-command';
import type { ChangelogSection } from './changelog';
import type { ReleasePackage } from './packages';

export interface Release {
  readonly version: string;
  readonly packages: readonly ReleasePackage[];
  /** Of CHANGELOG.md; undefined if it has none for this version. */
  readonly section: ChangelogSection | undefined;
}

/** What keeps this checkout from being released, a line each. */
export async function refusals({ version, packages, section }: Release, signal: AbortSignal): Promise<string[]> {
  const lines = [
    await whyNotClean(signal),
    await whyNotMain(signal),
    whyVersionsDiffer(packages),
    section === undefined
      ? `CHANGELOG.md: has no section "## ${version}": say there what changes for users`
      : undefined,
  ];
  return lines.filter((line) => line !== undefined);
}

async function whyNotClean(signal: AbortSignal): Promise<string | undefined> {
  const status = await run('git', ['status', '--porcelain'], { signal });
  const paths = status.split('\n').flatMap((line) => (line === '' ? [] : [line.slice(3)]));
  if (paths.length === 0) return undefined;
  const shown = paths.slice(0, 3).join(', ');
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  return `the tree has changes that are in no commit (${shown}${more}): commit them, or put them aside by git stash --include-untracked`;
}

async function whyNotMain(signal: AbortSignal): Promise<string | undefined> {
  const branch = (await run('git', ['branch', '--show-current'], { signal })).trim();
  if (branch === 'main') return undefined;
  if (branch !== '') return `the branch is ${branch}, and what is released is on main: git switch main`;
  try {
    // A workflow checks a tag out without a branch.
    await run('git', ['merge-base', '--is-ancestor', 'HEAD', 'origin/main'], { signal });
    return undefined;
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    return 'HEAD is not on main, and what is released is: merge it, and put the tag there';
  }
}

function whyVersionsDiffer(packages: readonly ReleasePackage[]): string | undefined {
  if (new Set(packages.map(({ version }) => version)).size === 1) return undefined;
  const each = packages.map(({ name, version }) => `${name} ${version}`).join(', ');
  return `the versions differ (${each}): give all of them the same in their package.json`;
}

/** What is missing until a release can be published, a line each. */
export function publishingRefusals({ section }: Release): string[] {
  if (section?.heading.includes('(unreleased)') !== true) return [];
  return [`CHANGELOG.md: "## ${section.heading}" has no date: give it the day of the release`];
}

/** Throws anywhere but in a workflow of the version's tag that can prove which workflow it is. */
export function requireWorkflow(environment: NodeJS.ProcessEnv, version: string): void {
  const tag = `v${version}`;
  if (environment.GITHUB_ACTIONS !== 'true') {
    throw new Failure(
      `the release workflow alone publishes, as provenance needs its identity: git tag ${tag} && git push origin ${tag} starts it, and --dry-run does all but publish`,
    );
  }
  const { GITHUB_REF: ref = '', ACTIONS_ID_TOKEN_REQUEST_URL: identity } = environment;
  if (ref !== `refs/tags/${tag}`) {
    throw new Failure(`${ref} is not the tag of version ${version}: push ${tag}, or change the packages' version`);
  }
  if (identity === undefined) {
    throw new Failure('this job has no identity, which provenance needs: give it the permission "id-token: write"');
  }
}
