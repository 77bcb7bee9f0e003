import { PassThrough } from 'node:stream';
import { Output } from '../../local/terminal/output';
import { fairShares, flowingLines, piece, type Table, tableLines } from '../../top/layout';

const output = new Output(new PassThrough());

function table(...rows: readonly (readonly [name: string, rank: number])[]): Table {
  return {
    columns: [{ title: 'NAME' }, { title: 'COUNT' }, { title: 'WHERE', isText: true }],
    rows: rows.map(([name, rank]) => ({ cells: [piece(name), piece(String(rank)), piece('here')], rank })),
  };
}

describe('a table', () => {
  test('has texts at the left and figures at the right', () => {
    expect(tableLines(table(['one', 5], ['another', 1000]), 80, 10, output)).toEqual([
      'NAME     COUNT  WHERE',
      'one          5  here',
      'another   1000  here',
    ]);
  });

  test('of more rows than have room has those that matter most, in their order, and says how many are left out', () => {
    const many = table(['a', 1], ['b', 9], ['c', 3], ['d', 7]);
    expect(tableLines(many, 80, 3, output)).toEqual([
      'NAME  COUNT  WHERE',
      'b         9  here',
      'd         7  here',
      'and 2 more',
    ]);
    expect(tableLines(many, 80, 4, output)).toHaveLength(5);
    expect(tableLines(many, 80, 1, output)).toEqual(['NAME  COUNT  WHERE', 'b         9  here']);
  });

  test('cuts names before it leaves out columns, and these from the last one on', () => {
    const long = table(['a name of thirty characters at l', 1]);
    expect(tableLines(long, 40, 10, output)[1]).toBe('a name of thirty characte…      1  here');
    expect(tableLines(long, 30, 10, output)[1]).toBe('a name of thirt…      1  here');
    expect(tableLines(long, 29, 10, output)[1]).toBe('a name of thirty char…      1');
    expect(tableLines(long, 10, 10, output)[1]).toBe('a name of…');
  });

  test('has a note in the place of figures, which takes no room from them', () => {
    const noted: Table = {
      ...table(['one', 1]),
      rows: [{ cells: [piece('one')], note: piece('is away for a long time'), rank: 0 }],
    };
    expect(tableLines(noted, 20, 10, output)).toEqual(['NAME  COUNT  WHERE', 'one   is away for a…']);
  });
});

test('pieces go on in the next line where one has no more room', () => {
  const pieces = ['first', 'second', 'third', 'one that is far too long'].map((text) => piece(text));
  expect(flowingLines(pieces, 14, output)).toEqual(['first   second', 'third', 'one that is f…']);
  expect(flowingLines(pieces, Number.POSITIVE_INFINITY, output)).toHaveLength(1);
});

test.each([
  [Number.POSITIVE_INFINITY, [3, 100], [3, 100]],
  [20, [3, 5, 2], [3, 5, 2]],
  [9, [3, 9, 2], [3, 4, 2]],
  [8, [9, 9, 9], [3, 3, 2]],
  [0, [1, 2], [0, 0]],
  [-5, [1, 2], [0, 0]],
  [5, [], []],
])('%d lines are shared by those that want %j as %j', (available, wanted, shares) => {
  expect(fairShares(available, wanted)).toEqual(shares);
});
