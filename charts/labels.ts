import { record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { isQualifiedName } from '../validation/names';

/** What an object is part of, as labels say it. */
export interface Identity {
  /** What it is: `nginx`, or the backend of which it is a version. */
  readonly name: string;
  /** The construct that made it. */
  readonly instance: string;
  readonly namespace: string;
}

export type Component = 'api' | 'proxy' | 'nginx-config' | 'weights' | 'tls' | 'monitoring' | 'dashboard' | 'namespace';

/** What finds the pods of a backend or a proxy. It never changes: Kubernetes lets no Deployment have another selector. */
export function selectorLabels({ name, instance }: Identity): Record<string, string> {
  return { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': instance };
}

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export function recommendedLabels(identity: Identity, component: Component): Record<string, string> {
  return {
    ...selectorLabels(identity),
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/part-of': identity.namespace,
    'app.kubernetes.io/managed-by': 'fairlead',
  };
}

/** The tag of an image as a label, if it has one that fits. */
export function versionLabel(image: string): Record<string, string> {
  const tag = /:([\w][\w.-]{0,61}[A-Za-z0-9]|[A-Za-z0-9])$/.exec(image.replace(/@.*$/, ''))?.[1];
  return tag === undefined ? {} : { 'app.kubernetes.io/version': tag };
}

/** Labels that a user adds. */
export function userLabels(name: string, given: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(name, given, '{ team: "orders" }')).map(([key, value]) => {
      const option = `${name}[${JSON.stringify(key)}]`;
      qualifiedName(option, key);
      if (key.startsWith('app.kubernetes.io/') || key.startsWith('pod-security.kubernetes.io/')) {
        throw new InvalidOption(option, value, 'is set by fairlead: choose another key');
      }
      if (typeof value !== 'string' || !/^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/.test(value)) {
        throw new InvalidOption(
          option,
          value,
          'is not the value of a label: give at most 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
        );
      }
      return [key, value];
    }),
  );
}

/** Annotations that a user adds. */
export function userAnnotations(option: string, given: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(option, given, '{ "example.com/internal": "true" }')).map(([key, value]) => {
      const entry = `${option}[${JSON.stringify(key)}]`;
      qualifiedName(entry, key);
      if (typeof value !== 'string') {
        throw new InvalidOption(entry, value, 'is not text: put it in quotes');
      }
      return [key, value];
    }),
  );
}

function qualifiedName(option: string, key: string): void {
  if (!isQualifiedName(key)) {
    throw new InvalidOption(
      option,
      key,
      'is not a key of Kubernetes: give a name such as "team", or "example.com/team"',
    );
  }
  if (key === 'constructor') throw new InvalidOption(option, key, 'is a key that cdk8s cannot write: choose another');
}
