import { join } from 'node:path';
import { Failure } from './command-line';
import { ExternalCommandFailure, run } from './external-command';
import type { KindCluster } from './kind-cluster';

/** Builds the image of the API from this checkout. */
export async function buildApiImage(image: string, signal?: AbortSignal): Promise<void> {
  await build(image, 'api/Dockerfile', ['--file=api/Dockerfile', `--tag=${image}`, '.'], signal);
}

/** Builds an image from the Dockerfile of a folder, and gives its name: the tag says what is in it, so that another image has another name. */
export async function buildImage(folder: string, name: string, signal?: AbortSignal): Promise<string> {
  const id = (await build(name, join(folder, 'Dockerfile'), ['--quiet', folder], signal)).trim();
  const image = `${name}:${id.replace('sha256:', '').slice(0, 12)}`;
  await run('docker', ['tag', id, image], { signal });
  return image;
}

async function build(
  image: string,
  dockerfile: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    return await run('docker', ['build', ...args], { signal });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    const output = `${error.stdout}\n${error.stderr}`.trim().split('\n').slice(-20).join('\n');
    throw new Failure(`the image ${image} could not be built from ${dockerfile}:\n${output}`);
  }
}

/** Pulls an image unless this machine has it. */
export async function pullMissingImage(image: string, signal?: AbortSignal): Promise<void> {
  try {
    await run('docker', ['image', 'inspect', image], { signal });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    await run('docker', ['pull', image], { signal });
  }
}

/** Loads an image into the workers that do not have just this one; true if there was any. */
export async function loadImage(cluster: KindCluster, image: string, signal?: AbortSignal): Promise<boolean> {
  const id = (await run('docker', ['image', 'inspect', '--format={{.Id}}', image], { signal })).trim();
  const lacking: string[] = [];
  for (const node of await cluster.workers(signal)) {
    const images = await run('docker', ['exec', node, 'ctr', '--namespace=k8s.io', 'images', 'list'], { signal });
    if (!hasImage(images, image, id)) lacking.push(node);
  }
  if (lacking.length === 0) return false;
  await run('kind', ['load', 'docker-image', image, `--name=${cluster.name}`, `--nodes=${lacking.join(',')}`], {
    signal,
  });
  return true;
}

/**
 * Whether a node's images (`ctr images list`: a reference, a type, a digest a line) have this one under its name.
 * An image's id is its configuration's digest, under which containerd lists it too, or the digest itself.
 */
export function hasImage(list: string, image: string, id: string): boolean {
  const digests = new Map(
    list.split('\n').map((line) => {
      const [reference = '', , digest = ''] = line.split(/\s+/);
      return [reference, digest];
    }),
  );
  const digest = digests.get(fullName(image));
  return digest !== undefined && digest !== '' && (digest === id || digest === digests.get(id));
}

/** What Docker leaves out of a name and containerd does not. */
function fullName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]|^localhost$/.test(first) ? image : `docker.io/${image}`;
}
