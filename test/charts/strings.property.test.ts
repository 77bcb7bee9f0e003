import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Yaml } from 'cdk8s';
import fc from 'fast-check';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import { InvalidOption } from '../../validation/invalid-option';
import { find, Manifest, props, TestProps } from './manifests';

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
const text = fc
  .array(fc.oneof({ weight: 3, arbitrary: awkward }, fc.string({ unit: 'binary', maxLength: 4 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join(''));

/** What `kubectl apply` would read, or nothing if the option was refused in one line. */
function applied(option: string, given: TestProps): Manifest[] | undefined {
  const app = new App();
  try {
    new LoadBalancedApi(app, 'orders', props(given));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOption);
    expect((error as InvalidOption).message.startsWith(`orders ${option}`)).toBe(true);
    expect((error as InvalidOption).message).not.toMatch(/[\p{Cc}]/u);
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-yaml-'));
  try {
    const file = join(directory, 'all.yaml');
    writeFileSync(file, app.synthYaml());
    return Yaml.load(file) as Manifest[];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Pod {
  readonly spec: { readonly containers: readonly Record<string, unknown>[] };
}

function container(manifests: Manifest[]): Record<string, unknown> {
  const pod = find(manifests, 'Deployment', 'api').spec?.template as Pod;
  return pod.spec.containers[0] ?? {};
}

jest.setTimeout(120_000);

// What nginx makes of its own options is shown in test/nginx, by real requests.
test.each<[string, (value: string) => TestProps, (manifests: Manifest[]) => unknown]>([
  [
    'container.environment',
    (value) => ({ container: { environment: { TEXT: value } } }),
    (manifests) =>
      (container(manifests).env as { name: string; value: string }[]).find(({ name }) => name === 'TEXT')?.value,
  ],
  [
    'container.command',
    (value) => ({ container: { command: ['node', value] } }),
    (manifests) => (container(manifests).command as string[])[1],
  ],
  [
    'container.args',
    (value) => ({ container: { args: [value] } }),
    (manifests) => (container(manifests).args as string[])[0],
  ],
  ['container.image', (value) => ({ container: { image: value } }), (manifests) => container(manifests).image],
  [
    'container.healthCheckPath',
    (value) => ({ container: { healthCheckPath: `/${value}` } }),
    (manifests) => (container(manifests).livenessProbe as { httpGet: { path: string } }).httpGet.path.slice(1),
  ],
  [
    'serviceAnnotations',
    (value) => ({ serviceAnnotations: { 'example.com/text': value } }),
    (manifests) => find(manifests, 'Service', 'nginx').metadata.annotations?.['example.com/text'],
  ],
  [
    'labels',
    (value) => ({ labels: { 'example.com/text': value } }),
    (manifests) => find(manifests, 'Service', 'nginx').metadata.labels['example.com/text'],
  ],
  [
    'namespace',
    (value) => ({ namespace: value }),
    (manifests) => find(manifests, 'Service', 'nginx').metadata.namespace,
  ],
])('%s arrives in the cluster as it was given, or is refused', (option, given, found) => {
  fc.assert(
    fc.property(text, (value) => {
      const manifests = applied(option, given(value));
      if (manifests !== undefined) expect(found(manifests)).toBe(value);
    }),
    { numRuns: 15 },
  );
});
