import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { App, Testing } from 'cdk8s';
import { LoadBalancedApi } from '../../charts/load-balanced-api';

type Header = [name: string, value: string, ofPages: string];

/** The headers of docs/security.md: its names, and the values before any remark. */
function documented(): Header[] {
  const page = readFileSync(resolve(__dirname, '../../docs/security.md'), 'utf8');
  const section = page.slice(page.indexOf('\n## Headers of answers\n'), page.indexOf('\n## Logs\n'));
  return [...section.matchAll(/^\| `([^`]+)` \| `([^`]+)`[^|]*\| (?:`([^`]+)`|the same) \|$/gm)].map(
    ([, name = '', value = '', ofPages = value]) => [name, value, ofPages],
  );
}

function nginxConf(): string {
  const { namespace } = new LoadBalancedApi(new App(), 'orders', { image: 'api:1.0.0', host: 'orders.example.com' });
  const manifests = Testing.synth(namespace) as { kind: string; data?: Record<string, string> }[];
  return manifests.find(({ kind }) => kind === 'ConfigMap')?.data?.['nginx.conf'] ?? '';
}

/** The headers that nginx.conf adds to every answer. */
function configured(conf: string): Header[] {
  return [...conf.matchAll(/^ {2}add_header (\S+) (\S+) always;/gm)]
    .filter(([, name]) => name !== 'X-Request-Id')
    .map(([, name = '', value = '']) => [name, valueOf(conf, value, 'data'), valueOf(conf, value, 'page')]);
}

/** What maps give a variable for an answer of some kind that has no header of its own. */
function valueOf(conf: string, value: string, kind: 'data' | 'page'): string {
  if (!value.startsWith('$')) return value;
  const [, body = ''] = new RegExp(`map \\S+ \\${value} \\{[^\\n]*\\n([^}]*)\\}`).exec(conf) ?? [];
  const [, quoted, variable = ''] = new RegExp(`^ +(?:""|on|${kind}) (?:"([^"]*)"|(\\$\\w+));$`, 'm').exec(body) ?? [];
  return quoted ?? (variable === '' ? `${value} has no map` : valueOf(conf, variable, kind));
}

test('docs/security.md lists the headers that nginx adds, with their values', () => {
  const conf = nginxConf();
  const byName = (a: Header, b: Header): number => a[0].localeCompare(b[0]);
  expect(documented().sort(byName)).toEqual(configured(conf).sort(byName));
  expect(documented().length).toBeGreaterThan(4);
});
