import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { App, Testing } from 'cdk8s';
import { LoadBalancedApi } from '../../charts/load-balanced-api';

/** The headers of docs/security.md: its names, and the values before any remark. */
function documented(): [name: string, value: string][] {
  const page = readFileSync(resolve(__dirname, '../../docs/security.md'), 'utf8');
  const section = page.slice(page.indexOf('\n## Headers of answers\n'), page.indexOf('\n## Logs\n'));
  return [...section.matchAll(/^\| `([^`]+)` \| `([^`]+)`/gm)].map(([, name = '', value = '']) => [name, value]);
}

function nginxConf(): string {
  const { namespace } = new LoadBalancedApi(new App(), 'orders', { image: 'api:1.0.0', host: 'orders.example.com' });
  const manifests = Testing.synth(namespace) as { kind: string; data?: Record<string, string> }[];
  return manifests.find(({ kind }) => kind === 'ConfigMap')?.data?.['nginx.conf'] ?? '';
}

/** The headers that nginx.conf adds to every answer. */
function configured(conf: string): [name: string, value: string][] {
  return [...conf.matchAll(/^ {2}add_header (\S+) (\S+) always;/gm)]
    .filter(([, name]) => name !== 'X-Request-Id')
    .map(([, name = '', value = '']) => [name, value.startsWith('$') ? defaultOf(conf, value) : value]);
}

/** What a map gives a variable by default. */
function defaultOf(conf: string, variable: string): string {
  const map = new RegExp(`map \\S+ \\${variable} \\{[^\\n]*\\n +(?:""|on) "([^"]*)";`).exec(conf);
  return map?.[1] ?? `${variable} has no map`;
}

test('docs/security.md lists the headers that nginx adds, with their values', () => {
  const conf = nginxConf();
  const byName = (a: [string, string], b: [string, string]): number => a[0].localeCompare(b[0]);
  expect(documented().sort(byName)).toEqual(configured(conf).sort(byName));
  expect(documented().length).toBeGreaterThan(4);
});
