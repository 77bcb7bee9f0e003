import { basename, dirname } from 'node:path';
import { imageReference } from '../../validation/names';
import { nearestApiName } from './api-name';
import type { FoundApp } from './app/app';
import type { HealthCheck } from './app/health-check';
import type { FairleadSource, Language, TypedOptions } from './command-line';
import type { Place } from './place';

/** What runs in place of the image on one machine. */
export interface LocalProgram {
  readonly command: readonly string[];
  /** Whether it runs in the app's folder. */
  readonly isOfTheApp: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

/** What the files say. What is undefined is fairlead's default, and is not written. */
export interface Project {
  readonly place: Place;
  readonly name: string;
  readonly host: string;
  readonly image: string;
  readonly language: Language;
  readonly port: number | undefined;
  readonly healthCheck: HealthCheck | undefined;
  readonly keepAliveTimeout: string | undefined;
  readonly user: number | undefined;
  readonly local: LocalProgram | undefined;
  /** Whether the app has a Dockerfile, from which a pull request can have its own image. */
  readonly hasDockerfile: boolean;
  readonly fairlead: FairleadSource;
  /** That of this package, which all of them have. */
  readonly version: string;
}

/** The answers to what is asked. */
export type Answers = Pick<Project, 'name' | 'host' | 'image'>;

export const defaultPort = 3000;
export const defaultHealthCheckPath = '/healthcheck';

/** A small program of the folder itself, where there is no app. */
export const standIn = 'stand-in.js';

export function defaultName({ directory }: Place, app: FoundApp | undefined): string {
  // `shop/deploy` is that of the shop.
  const folder = /^(?:deploy|deployment|infra|k8s|cdk8s)$/.test(basename(directory)) ? dirname(directory) : directory;
  return nearestApiName(app?.title ?? basename(folder));
}

export function defaultHost(name: string): string {
  return `${name}.example.com`;
}

/** As GitHub's registry has it: `ghcr.io/acme/orders:1.4.2`. */
export function defaultImage(name: string, app: FoundApp | undefined): string {
  const version = /^\d[\w.-]*$/.test(app?.version ?? '') && app?.version !== '0.0.0' ? app?.version : undefined;
  const image = `ghcr.io/${app?.owner ?? 'acme'}/${name}:${version ?? '1.0.0'}`;
  try {
    return imageReference('image', image);
  } catch {
    return `ghcr.io/acme/${name}:1.0.0`;
  }
}

export function project(
  place: Place,
  app: FoundApp | undefined,
  options: TypedOptions,
  answers: Answers,
  version: string,
): Project {
  const port = options.port ?? app?.port.port;
  const healthCheck =
    options.healthCheckPath === undefined ? written(app?.healthCheck) : { path: options.healthCheckPath };
  return {
    place,
    ...answers,
    language: options.language ?? app?.language ?? 'typescript',
    port: port === defaultPort ? undefined : port,
    healthCheck,
    keepAliveTimeout: app?.usesServe === true ? '65s' : undefined,
    user: app?.user?.kind === 'given' ? app.user.id : undefined,
    local: local(app, options.command),
    hasDockerfile: app?.user !== undefined,
    fairlead: options.fairlead ?? { version },
    version,
  };
}

function written(found: HealthCheck | undefined): HealthCheck | undefined {
  if (found === undefined) return undefined;
  const { path, liveness, readiness } = found;
  const isDefault = path === defaultHealthCheckPath && liveness === undefined && readiness === undefined;
  if (isDefault) return undefined;
  return {
    path,
    ...(liveness === undefined ? {} : { liveness }),
    ...(readiness === undefined ? {} : { readiness }),
  };
}

function local(app: FoundApp | undefined, command: readonly string[] | undefined): LocalProgram | undefined {
  if (command !== undefined) return { command, isOfTheApp: app !== undefined, environment: {} };
  if (app === undefined) return { command: ['node', standIn], isOfTheApp: false, environment: {} };
  if (app.start === undefined) return undefined;
  return { command: app.start.words, isOfTheApp: true, environment: app.start.environment };
}
