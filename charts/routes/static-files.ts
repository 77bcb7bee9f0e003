import { createHash } from 'node:crypto';
import type { IConstruct } from 'constructs';
import type { FilesModel, TargetModel } from '../../model/routes/route';
import { memoryBytes } from '../../validation/amounts';
import { list, record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsSubdomainName, imageReference } from '../../validation/names';
import {
  flag,
  group,
  knownValues,
  optional,
  required,
  type Table,
  type Values,
  withDefault,
} from '../../validation/options';
import { directory as localDirectory } from '../../validation/text';
import type { IRouteTarget, Route } from './route';

/** Where files are on this machine, for `fairlead start` and `fairlead compose`. */
export interface LocalFiles {
  /** A directory, from where fairlead runs: what a build writes, such as `web/dist`. It is served as it is at the moment. */
  readonly directory: string;
}

/** How files are served. */
export interface StaticFilesOptions {
  /**
   * Whether a path without a file is answered with the `index.html` of the directory, as an application needs that knows its own paths. A
   * path whose last segment has a dot is 404 all the same: a script that is missing is not answered with a page.
   *
   * @default false
   * @see https://developer.mozilla.org/en-US/docs/Glossary/SPA
   */
  readonly singlePage?: boolean;

  /**
   * Paths below the directory of which no file ever changes, such as `['/assets']`, in place of the rule: browsers keep them for a year
   * (`Cache-Control: public, max-age=31536000, immutable`). All others are asked for before they are used again (`no-cache`).
   *
   * @default - files whose names have a fingerprint, as build tools write it: `app.3f2a9c1b.js`, `index-BfK3x9Zt.css`
   * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Cache-Control#immutable
   */
  readonly immutable?: readonly string[];

  /**
   * Where they are where there is no cluster.
   *
   * @default - nowhere: their routes are answered 503 there
   */
  readonly local?: LocalFiles;
}

/** How files of an image are served. */
export interface ImageFilesOptions extends StaticFilesOptions {
  /**
   * The most that all of them take on the disk of a node, as Kubernetes writes amounts. It is asked for in every pod of the proxy.
   *
   * @default '128Mi'
   * @see https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
   */
  readonly sizeLimit?: string;
}

export const localFilesOptions = {
  directory: required(localDirectory),
} satisfies Table<LocalFiles>;

export const staticFilesOptions = {
  singlePage: withDefault(false, flag),
  immutable: optional(pathsBelow),
  local: optional(group(localFilesOptions, '{ directory: "web/dist" }')),
} satisfies Table<StaticFilesOptions>;

export const imageFilesOptions = {
  ...staticFilesOptions,
  sizeLimit: withDefault('128Mi', memoryBytes),
} satisfies Table<ImageFilesOptions>;

/** Where files come from. */
export type FilesOrigin =
  | {
      readonly kind: 'image';
      readonly image: string;
      readonly directory: string;
      /** Bytes. */
      readonly sizeLimit: number;
    }
  | { readonly kind: 'configMap'; readonly name: string };

/** Files that are nginx's to serve: a page with its scripts and styles, say. */
export class StaticFiles implements IRouteTarget {
  private constructor(
    readonly origin: FilesOrigin,
    private readonly options: Values<typeof staticFilesOptions>,
  ) {}

  /**
   * A directory of an image. Before a proxy starts, `cp` of the image copies it, as the user of nginx: the image needs that command, and everyone must
   * be able to read the files. Another image is a rollout of the proxies. It is pulled with the pull secrets of the proxy's pods.
   *
   * @example
   * edge.addRoute('/', StaticFiles.fromImage('ghcr.io/acme/web:1.4.2', '/usr/share/web', { singlePage: true }));
   */
  static fromImage(image: string, directory: string, options: ImageFilesOptions = {}): StaticFiles {
    const name = 'StaticFiles.fromImage';
    const { sizeLimit, ...given } = knownValues(
      record(name, options, '{ singlePage: true }'),
      imageFilesOptions,
      `${name} `,
    );
    const origin = {
      kind: 'image',
      image: imageReference(`${name} image`, image),
      directory: directoryOfImage(`${name} directory`, directory),
      sizeLimit,
    } as const;
    return new StaticFiles(origin, given);
  }

  /**
   * The entries of a ConfigMap of the same namespace, for a site of a few files: 1 MiB in all, and no directories, as a key has no "/". A change
   * is served within about a minute, without a rollout.
   */
  static fromConfigMap(
    configMap: (IConstruct & { readonly name: string }) | string,
    options: StaticFilesOptions = {},
  ): StaticFiles {
    const name = 'StaticFiles.fromConfigMap';
    const given = knownValues(record(name, options, '{ singlePage: true }'), staticFilesOptions, `${name} `);
    return new StaticFiles({ kind: 'configMap', name: configMapName(name, configMap) }, given);
  }

  /** Where they are on this machine, if they are. */
  get localDirectory(): string | undefined {
    return this.options.local?.directory;
  }

  /** What tells them from others, as people read it. */
  get source(): string {
    const { origin } = this;
    return origin.kind === 'image' ? `${origin.image} (${origin.directory})` : `ConfigMap ${origin.name}`;
  }

  bindRoute(route: Route): TargetModel {
    if (route.path.kind === 'exact') {
      throw new InvalidOption(
        'path',
        route.path.path,
        'is one path alone, and files lie below theirs: give a prefix, such as "/app"',
      );
    }
    route.serve(this);
    const { singlePage, immutable } = this.options;
    return { kind: 'files', source: this.source, singlePage, immutable } satisfies FilesModel;
  }
}

/** Files in the pods of a proxy. */
export interface MountedFiles {
  /** Of its volume, and of what copies the files. */
  readonly name: string;
  readonly source: string;
  readonly origin: FilesOrigin;
}

/** What the routes of a proxy serve, each once, named after the first route: another image keeps the name. */
export function mountedFiles(routes: readonly Route[]): MountedFiles[] {
  const served = routes.flatMap((route) =>
    route.files === undefined ? [] : [{ route: route.model.name, files: route.files }],
  );
  const bySource = new Map<string, MountedFiles>();
  for (const { route, files } of [...served].sort((a, b) => (a.route < b.route ? -1 : 1))) {
    const { source, origin } = files;
    const known = bySource.get(source);
    bySource.set(
      source,
      known === undefined
        ? { name: volumeName(route), source, origin }
        : { ...known, origin: larger(known.origin, origin) },
    );
  }
  return [...bySource.values()];
}

function larger(a: FilesOrigin, b: FilesOrigin): FilesOrigin {
  return a.kind === 'image' && b.kind === 'image' && b.sizeLimit > a.sizeLimit ? b : a;
}

/** A DNS label, in which a route's name has room. */
function volumeName(route: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(route)) return `files-${route}`;
  const hash = createHash('sha256').update(route).digest('hex').slice(0, 8);
  return `files-${route.slice(0, 40).replaceAll(/[^a-z0-9-]/g, '-')}-${hash}`;
}

/** A path that no shell reads; nobody means to show the whole image. */
function directoryOfImage(option: string, given: unknown): string {
  const text = typeof given === 'string' ? given.replace(/\/$/, '') : '';
  if (/^(?:\/[\w.@~+-]+)+$/.test(text) && text.length <= 1000 && !/\/\.{1,2}(?:\/|$)/.test(text)) return text;
  throw new InvalidOption(
    option,
    given,
    'is not a directory of an image: give its absolute path of letters, digits, ".", "_", "-", "@", "+" and "~", such as "/usr/share/web"',
  );
}

function pathsBelow(option: string, given: unknown): readonly string[] {
  return list(option, given, '["/assets"]').map((path) => {
    const text = typeof path === 'string' ? path.replace(/(?<=.)\/$/, '') : '';
    if (text === '/' || (/^(?:\/[\w.@~+-]+)+$/.test(text) && text.length <= 200)) return text;
    throw new InvalidOption(option, path, 'is not a path below the directory: give one, such as "/assets"');
  });
}

/** By what it has: it may be of another copy of cdk8s-plus-27. */
function configMapName(option: string, given: unknown): string {
  if (typeof given === 'string') return dnsSubdomainName(`${option} name`, given);
  const { name } = (typeof given === 'object' && given !== null ? given : {}) as { readonly name?: unknown };
  if (typeof name === 'string') return name;
  throw new InvalidOption(option, `(${typeof given})`, 'is not a ConfigMap: give one, or the name of one');
}
