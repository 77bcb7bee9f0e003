import { App } from 'cdk8s';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { Certificate } from '../../../charts/proxy/certificate';
import { Exposure } from '../../../charts/proxy/exposure';
import { LoadBalancedApi } from '../../../charts/load-balanced-api';
import { InvalidOption } from '../../../validation/invalid-option';
import { find, type Manifest, podSpecOf, props, type TestProps } from '../manifests';

/** Text full of what means something to YAML, a shell or Kubernetes. */
const awkward = fc.constantFrom(
  ...[
    '"',
    "'",
    '\\',
    ';',
    '{',
    '}',
    '$',
    '$(A)',
    '#',
    ' #',
    ': ',
    '- ',
    '? ',
    '| ',
    '> ',
    '%',
    '`',
    '@',
    '&a',
    '*a',
    '!!',
  ],
  ...[
    '\n',
    '\r\n',
    '\t',
    '\0',
    '\u007f',
    '\u0085',
    '\u2028',
    '\ufeff',
    'ä',
    '😀',
    '\ud800',
    ' ',
    '---',
    '...',
    '~',
    '<<',
  ],
  ...['y', 'no', 'on', 'null', 'true', '0x1f', '0o7', '017', '1_000', '1:30', '1e3', '.inf', '2001-01-01', '='],
);
/** As `fc.string({ unit: 'binary' })` has them, which takes a second to make a table of all. */
const anyCharacter = fc.integer({ min: 0, max: 0x10_ffff }).map((code) => String.fromCodePoint(code));
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: awkward },
      fc.array(anyCharacter, { maxLength: 4 }).map((characters) => characters.join('')),
    ),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''));

/** What `kubectl apply` would read, or nothing if the option was refused in one line. */
function applied(option: string, given: () => TestProps): Manifest[] | undefined {
  const app = new App();
  try {
    new LoadBalancedApi(app, 'orders', props(given()));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOption);
    expect((error as InvalidOption).message.replace(/^orders /, '').startsWith(option)).toBe(true);
    expect((error as InvalidOption).message).not.toMatch(/[\p{Cc}]/u);
    return undefined;
  }
  return parseAllDocuments(app.synthYaml(), { version: '1.1' }).map((document) => document.toJS() as Manifest);
}

interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly Record<string, unknown>[] };
}

function podOf(manifests: Manifest[], name = 'orders'): Pod {
  return find(manifests, 'Deployment', name).spec?.template as Pod;
}

function container(manifests: Manifest[]): Record<string, unknown> {
  return podOf(manifests).spec.containers[0] ?? {};
}

jest.setTimeout(120_000);

// What nginx makes of its own options is shown in test/nginx, by real requests.
test.each<[string, (value: string) => TestProps, (manifests: Manifest[]) => unknown]>([
  [
    'environment',
    (value) => ({ environment: { TEXT: value } }),
    (manifests) =>
      (container(manifests).env as { name: string; value: string }[]).find(({ name }) => name === 'TEXT')?.value,
  ],
  ['command', (value) => ({ command: ['node', value] }), (manifests) => (container(manifests).command as string[])[1]],
  ['args', (value) => ({ args: [value] }), (manifests) => (container(manifests).args as string[])[0]],
  ['image', (value) => ({ image: value }), (manifests) => container(manifests).image],
  [
    'healthCheck',
    (value) => ({ healthCheck: `/${value}` }),
    (manifests) => (container(manifests).livenessProbe as { httpGet: { path: string } }).httpGet.path.slice(1),
  ],
  [
    'pods.annotations',
    (value) => ({ pods: { annotations: { 'example.com/text': value } } }),
    (manifests) => podOf(manifests).metadata.annotations['example.com/text'],
  ],
  [
    'proxy.pods.annotations',
    (value) => ({ proxy: { pods: { annotations: { 'example.com/text': value } } } }),
    (manifests) => podOf(manifests, 'nginx').metadata.annotations['example.com/text'],
  ],
  [
    'Exposure.loadBalancer annotations',
    (value) => ({ exposure: Exposure.loadBalancer({ annotations: { 'example.com/text': value } }) }),
    (manifests) => find(manifests, 'Service', 'nginx').metadata.annotations?.['example.com/text'],
  ],
  [
    'Certificate.fromSecret',
    (value) => ({ certificate: Certificate.fromSecret(value) }),
    (manifests) => secretNameOf(manifests),
  ],
  [
    'namespace.labels',
    (value) => ({ namespace: { labels: { 'example.com/text': value } } }),
    (manifests) => find(manifests, 'Service', 'nginx').metadata.labels['example.com/text'],
  ],
  [
    'namespace.name',
    (value) => ({ namespace: { name: value } }),
    (manifests) => find(manifests, 'Service', 'nginx').metadata.namespace,
  ],
])('%s arrives in the cluster as it was given, or is refused', (option, given, found) => {
  fc.assert(
    fc.property(text, (value) => {
      const manifests = applied(option, () => given(value));
      if (manifests !== undefined) expect(found(manifests)).toBe(value);
    }),
    { numRuns: 15 },
  );
});

function secretNameOf(manifests: Manifest[]): string | undefined {
  const volumes = podSpecOf(manifests, 'nginx').volumes as { name: string; secret?: { secretName: string } }[];
  return volumes.find(({ name }) => name === 'tls')?.secret?.secretName;
}
