import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ClusterConfiguration } from '../../dashboard/cluster/cluster-system';
import { find, type Manifest, podSpecOf } from '../charts/manifests';

interface ProgramVolume {
  readonly name: string;
  readonly configMap: {
    readonly name: string;
    readonly items: readonly { readonly key: string; readonly path: string }[];
  };
}

/** Writes the files of the dashboard's pod into a directory, as its volume has them, with another configuration. */
export function writeProgram(
  directory: string,
  manifests: readonly Manifest[],
  deployment: string,
  configure: (given: ClusterConfiguration) => ClusterConfiguration,
): void {
  const volumes = podSpecOf(manifests, deployment).volumes as readonly ProgramVolume[];
  const { name, items } = volumes.find((volume) => volume.name === 'program')?.configMap ?? { name: '', items: [] };
  const { data = {} } = find(manifests, 'ConfigMap', name);
  expect(items.map(({ key }) => key).sort()).toEqual(Object.keys(data).sort());
  for (const { key, path } of items) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    const text = data[key] ?? '';
    const isConfiguration = path === 'system.json';
    writeFileSync(file, isConfiguration ? JSON.stringify(configure(JSON.parse(text) as ClusterConfiguration)) : text);
  }
}
