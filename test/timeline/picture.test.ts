import { chainPicture, pictureDescription } from '../../timeline/picture';
import { exactly } from '../../timeline/chain';
import { defaultStory } from '../../timeline/page';

const chain = {
  title: 'A pod <starts>',
  beginning: 'it is "there" & ready',
  steps: [
    { at: exactly(0), what: 'It begins', movedBy: [] },
    { at: { from: 2, to: 8 }, what: `${'many words '.repeat(15)}end`, movedBy: [] },
    { at: exactly(8), what: 'It is over', movedBy: [] },
  ],
};

test('shows every step with its time, one below the other', () => {
  const picture = chainPicture(chain);
  const bars = [...picture.matchAll(/<rect class="bar" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)].map((found) =>
    found.slice(1).map(Number),
  );
  const [first = [], second = [], third = []] = bars;
  expect(bars).toHaveLength(3);
  expect([first[0], first[2]]).toEqual([16, 4]);
  expect([second[0], second[2]]).toEqual([198, 546]);
  expect([third[0], third[2]]).toEqual([740, 4]);
  expect([first[1], second[1], third[1]]).toEqual([first[1], second[1], third[1]].sort((a = 0, b = 0) => a - b));
  expect([...picture.matchAll(/class="when">([^<]*)</g)].map(([, when]) => when)).toEqual(['0 s', '2 to 8 s', '8 s']);
});

test('keeps all of a long text, in lines that fit', () => {
  const lines = [...chainPicture(chain).matchAll(/<text x="16"[^>]*>(.*)<\/text>/g)].map(([, text = '']) =>
    text.replaceAll(/<[^>]*>/g, ''),
  );
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(113);
  expect(lines.join('').match(/many words/g)).toHaveLength(15);
});

test('says in words what it shows, and escapes what it says', () => {
  expect(pictureDescription(chain)).toBe('A pod <starts>: 3 steps, the last one after 8 s at the latest');
  const picture = chainPicture(chain);
  expect(picture).toContain('A pod &lt;starts&gt;: 3 steps');
  expect(picture).toContain('it is &quot;there&quot; &amp; ready');
});

test.each(defaultStory().map((each) => [each.title, each] as const))('%s stays within its picture', (_title, each) => {
  const picture = chainPicture(each);
  const height = Number(/height="(\d+)"/.exec(picture)?.[1]);
  const ys = [...picture.matchAll(/ y="([\d.]+)"/g)].map(([, y]) => Number(y));
  expect(Math.max(...ys)).toBeLessThan(height);
  for (const [, x, barWidth] of picture.matchAll(/class="bar" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)) {
    expect(Number(x) + Number(barWidth)).toBeLessThanOrEqual(744.1);
  }
});
