import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, YamlOutputType } from 'cdk8s';
import { RestrictedNamespace } from '../../charts/namespace';
import { onTestFinished } from '../afterwards';

let outdir: string;
let said: string[];

beforeEach(() => {
  outdir = join(mkdtempSync(join(tmpdir(), 'fairlead-written-')), 'dist');
  said = [];
  const stderr = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  onTestFinished(() => {
    stderr.mockRestore();
    rmSync(join(outdir, '..'), { recursive: true });
  });
});

/** Writes an app with namespaces of these names. */
function write(names: readonly string[], yamlOutputType = YamlOutputType.FILE_PER_CHART): App {
  const app = new App({ outdir, yamlOutputType });
  for (const name of names) new RestrictedNamespace(app, name);
  app.synth();
  return app;
}

/** What an earlier process has written. */
function leave(...names: readonly string[]): void {
  for (const file of names.map((name) => join(outdir, name))) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'kind: List\n');
    utimesSync(file, 0, 0);
  }
}

test('a manifest that the app does not write is named, and kept', () => {
  leave('orders-c8a4b5ad.k8s.yaml', 'README.md', 'own.yaml');
  write(['shop']);
  expect(said).toEqual([
    `warning: ${outdir}: orders-c8a4b5ad.k8s.yaml is not of this app, and kubectl apply -f ${outdir} would apply it as well: delete what is left from before, as cdk8s synth does by itself\n`,
  ]);
  expect(existsSync(join(outdir, 'orders-c8a4b5ad.k8s.yaml'))).toBe(true);
});

test('several are named in one line, those of a directory too', () => {
  leave('b.k8s.yaml', 'orders/a.k8s.yaml');
  write(['shop'], YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE);
  expect(said).toEqual([expect.stringContaining(': a.k8s.yaml, b.k8s.yaml are not of this app, ')]);
});

test('what the app has written before is its own, and so is what another app of the program has', () => {
  write(['orders']);
  write(['orders']);
  const app = write(['shop']);
  app.synth();
  expect(said).toEqual([]);
  expect(readdirSync(outdir).length).toBeGreaterThan(2);
});

test('what the app writes over is no longer from before', () => {
  write(['shop']);
  const names = readdirSync(outdir);
  outdir = `${outdir}-again`;
  leave(...names);
  write(['shop']);
  expect(said).toEqual([]);
});
