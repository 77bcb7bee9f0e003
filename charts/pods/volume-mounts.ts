import { posix } from 'node:path';
import { Volume, type VolumeMount } from 'cdk8s-plus-27';
import { knownOptions, list, record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';

/** Where the API can always write, and the name of the volume that is there unless another is given. */
export const temporaryDirectory = '/tmp';
export const temporaryVolume = 'tmp';

const known: Readonly<Record<keyof VolumeMount, true>> = {
  path: true,
  volume: true,
  readOnly: true,
  subPath: true,
  subPathExpr: true,
  propagation: true,
};

/** The mounts with their paths as the kubelet will see them. */
export function volumeMounts(option: string, given: unknown): readonly VolumeMount[] {
  const mounts = list(option, given, '[{ path: "/data", volume }]').map((mount) => volumeMount(option, mount));
  mounts.forEach(({ path, volume }, index) => {
    const before = mounts.slice(0, index);
    if (before.some((other) => other.path === path)) {
      throw new InvalidOption(option, path, 'is given twice: mount one volume at a path');
    }
    if (before.some((other) => other.volume.name === volume.name && other.volume !== volume)) {
      throw new InvalidOption(option, volume.name, 'is the name of two volumes: give each its own');
    }
  });
  const own = mounts.find(({ volume }) => volume.name === temporaryVolume);
  if (own !== undefined && !mounts.some(({ path }) => path === temporaryDirectory)) {
    throw new InvalidOption(
      option,
      temporaryVolume,
      `is the name of the volume that fairlead mounts at ${temporaryDirectory}: give another, or mount one there`,
    );
  }
  return mounts;
}

function volumeMount(option: string, given: unknown): VolumeMount {
  const mount = record(option, given, '{ path: "/data", volume }');
  knownOptions(`${option}.`, mount, Object.keys(known));
  const { path, volume, ...how } = mount;
  if (typeof path !== 'string' || !/^\/[^:\p{Cc}]*$/u.test(path)) {
    throw new InvalidOption(option, path, 'is not an absolute path without ":": begin it with "/"');
  }
  if (!(volume instanceof Volume)) {
    throw new InvalidOption(option, path, 'has no volume: give one, such as Volume.fromEmptyDir(…)');
  }
  const normalized = posix.normalize(path).replace(/\/$/, '');
  if (normalized === '') {
    throw new InvalidOption(option, path, 'would hide the whole image: mount the volume below it');
  }
  return { ...how, path: normalized, volume };
}
