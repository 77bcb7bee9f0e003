import { PassThrough } from 'node:stream';
import { WriteStream } from 'node:tty';
import { Output } from '../../local/terminal/output';
import { type Chain, option } from '../../timeline/chain';
import { markdownChains, markdownFigures } from '../../timeline/page';
import { story } from '../../timeline/story';
import { terminalLines } from '../../timeline/terminal';
import { withoutDnsCache } from './configurations';

const figure = { name: 'endpoint slices', range: { from: 0, to: 1 }, source: 'by watches (https://example.com)' };

const chains: readonly Chain[] = [
  {
    title: 'A pod starts',
    beginning: 'the pod is Ready',
    steps: [
      { at: { from: 0, to: 0 }, what: 'The pod is Ready', movedBy: [] },
      {
        at: { from: 0, to: 7.25 },
        what: 'Its first request arrives, since every proxy has asked DNS again by now',
        movedBy: [figure, option('resolverValid', 5), option('dnsCacheTtl', 0)],
        moment: 'api-pod-starts.first-request',
      },
    ],
  },
];

const inside = { 'api-pod-starts.first-request': [1.7, 2.7] };
const outside = { 'api-pod-starts.first-request': [1.7, 9.3] };

describe('On a terminal', () => {
  const plain = new Output(new PassThrough());

  test('there are three columns, and what was measured stands below', () => {
    expect(terminalLines(chains, inside, { output: plain, width: 80 })).toEqual([
      '',
      'A pod starts',
      '0 s: the pod is Ready',
      '         0 s  The pod is Ready',
      '  0 to 7.3 s  Its first request arrives, since      (endpoint slices 0 to 1 s),',
      '              every proxy has asked DNS again by    resolverValid 5s,',
      '              now                                   dnsCacheTtl 0s',
      '              measured 1.7 to 2.7 s (2 times)',
    ]);
  });

  test.each([80, 100, 133, 200])('of %d columns no line is wider, and an option stays beside its value', (width) => {
    const lines = terminalLines(story([withoutDnsCache]), { 'node-dies.not-ready': [75] }, { output: plain, width });
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
    expect(lines.join('\n')).toContain('resolverValid 5s');
    expect(lines.join('\n')).not.toMatch(/resolverValid$/m);
  });

  test('a very narrow one gets lines that it has to break itself', () => {
    const options = (width: number) => ({ output: plain, width });
    expect(terminalLines(chains, inside, options(0))).toEqual(terminalLines(chains, inside, options(80)));
  });

  test('what was measured outside is marked without colours too', () => {
    expect(terminalLines(chains, outside, { output: plain, width: 80 }).at(-1)).toBe(
      '              ! measured 1.7 to 9.3 s (2 times): outside',
    );
  });

  test('there are colours where they are wanted, and none elsewhere', () => {
    const terminal = Object.create(WriteStream.prototype, { hasColors: { value: () => true } }) as WriteStream;
    const coloured = terminalLines(chains, outside, { output: new Output(terminal), width: 80 });
    expect(coloured[1]).toBe('\u001b[1mA pod starts\u001b[0m');
    expect(coloured.at(-1)).toBe('              \u001b[31m! measured 1.7 to 9.3 s (2 times): outside\u001b[0m');
    expect(terminalLines(chains, outside, { output: plain, width: 80 }).join('')).not.toContain('\u001b');
  });
});

describe('As Markdown', () => {
  test('a chain is a table, whose options lead to their description', () => {
    expect(markdownChains(chains, inside)).toBe(`### A pod starts

0 s: the pod is Ready.

| when | what | moved by |
|---|---|---|
| 0 s | The pod is Ready |  |
| 0 to 7.3 s, measured 1.7 to 2.7 s (2 times) | Its first request arrives, since every proxy has asked DNS again by now | endpoint slices, [\`resolverValid: '5s'\`](options.md#namespaceoptionsresolvervalid), [\`dnsCacheTtl: '0s'\`](options.md#namespaceoptionsdnscachettl) |
`);
  });

  test('what was measured outside is marked', () => {
    expect(markdownChains(chains, outside)).toContain('| 0 to 7.3 s, measured 1.7 to 9.3 s (2 times) **outside** |');
  });

  test('every figure stands once, with its source', () => {
    expect(markdownFigures([...chains, ...chains])).toBe(`| figure | takes | source |
|---|---|---|
| endpoint slices | 0 to 1 s | by watches (https://example.com) |
`);
  });
});
