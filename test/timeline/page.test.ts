import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { optionsPage } from '../../docs/options-page';
import { pageOf } from '../../timeline/page';
import { story } from '../../timeline/story';
import { withoutDnsCache } from './configurations';
import { ProjectCopy } from './project-copy';
import { runResults } from './run-results';

describe('The page', () => {
  const defaults = story([withoutDnsCache]);

  test('has the defaults alone where nothing was measured', () => {
    const { text, contradictions } = pageOf(defaults, undefined);
    expect(text.match(/^## .*/gm)).toEqual(['## The defaults', '## What no option changes']);
    expect(contradictions).toEqual([]);
  });

  test('has the deployment that was measured first, and its contradictions', () => {
    const { text, contradictions } = pageOf(defaults, { chains: defaults, measured: { 'proxy-ends.gone': [6, 90] } });
    expect(text.match(/^## .*/gm)).toEqual(['## What was measured', '## The defaults', '## What no option changes']);
    expect(text.match(/\*\*outside\*\*/g)).toHaveLength(1);
    expect(contradictions).toEqual(['proxy-ends.gone: measured 6 to 90 s (2 times), computed 5 to 42 s']);
  });

  test('links to every option that it names', () => {
    const anchors = optionsPage()
      .match(/^### `.*`$/gm)
      ?.map((heading) => heading.replaceAll(/[^\w]/g, '').toLowerCase());
    const named = [...pageOf(defaults, undefined).text.matchAll(/\[`([\w.]+): '\d+s'`\]\(options\.md#(\w+)\)/g)];
    expect(named.length).toBeGreaterThan(20);
    for (const [, name = '', anchor = ''] of named) {
      expect(anchors).toContain(anchor);
      expect(anchor).toMatch(new RegExp(`${name.replace(/^.*\./, '').toLowerCase()}$`));
    }
  });
});

describe('npm run docs:timeline', () => {
  let project: ProjectCopy;
  beforeEach(() => {
    project = new ProjectCopy();
  });
  afterEach(() => {
    project.remove();
  });

  const page = () => project.run('reliability/report/measured-timeline.ts');
  const written = () => readFileSync(project.path('docs/timeline.md'), 'utf8');

  test('writes what docs/timeline.md says and shows', async () => {
    const docs = resolve(__dirname, '../../docs');
    copyFileSync(join(docs, 'reliability.json'), project.path('docs/reliability.json'));
    expect(await page()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(docs, 'timeline.md'), 'utf8')).toBe(written());
    const pictures = readdirSync(project.path('docs/timeline'));
    expect(readdirSync(join(docs, 'timeline'))).toEqual(pictures);
    for (const name of pictures) {
      const picture = readFileSync(project.path(`docs/timeline/${name}`), 'utf8');
      expect([name, readFileSync(join(docs, 'timeline', name), 'utf8')]).toEqual([name, picture]);
    }
  });

  test('writes the page', async () => {
    expect(await page()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(written()).not.toContain('measured');
  });

  test('sets what was measured beside what the reliability run deploys', async () => {
    writeFileSync(project.path('docs/reliability.json'), runResults({ 'api-pod-starts.first-request': [1.7, 2.7] }));
    expect(await page()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(written()).toContain('| 0 to 7 s, measured 1.7 to 2.7 s (2 times) | Its first request');
    expect(written()).toContain('| 0 to 37 s | Its first request');
  });

  test('writes the page and exits 1 if the model is wrong', async () => {
    writeFileSync(project.path('docs/reliability.json'), runResults({ 'api-pod-starts.first-request': [1.7, 9.3] }));
    const { code, stderr } = await page();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `docs:timeline: measured outside of what is computed, so the model is to be mended:
  api-pod-starts.first-request: measured 1.7 to 9.3 s (2 times), computed 0 to 7 s
`,
    });
    expect(written()).toContain('measured 1.7 to 9.3 s (2 times) **outside**');
  });
});
