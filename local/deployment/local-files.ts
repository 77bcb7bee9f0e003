import type { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { existingDirectory } from './existing-paths';

/** Files that routes of a proxy serve, as far as they are on this machine. */
export interface LocalFiles {
  /** The directory of each source. */
  readonly directories: Readonly<Record<string, string>>;
  /** Sources that are nowhere here. */
  readonly missing: readonly string[];
}

export function localFiles({ routes }: NginxProxy): LocalFiles {
  const served = routes.flatMap(({ files }) => (files === undefined ? [] : [files]));
  const directories = Object.fromEntries(
    served.flatMap(({ source, localDirectory }) =>
      localDirectory === undefined ? [] : [[source, existingDirectory(`${source} local.directory`, localDirectory)]],
    ),
  );
  const sources = [...new Set(served.map(({ source }) => source))];
  return { directories, missing: sources.filter((source) => !(source in directories)).sort() };
}

/** Says it in a line. */
export function missingFiles(source: string): string {
  return `the files of ${source} are not here, and their routes answer 503: give StaticFiles local: { directory: "…" }`;
}
