import { InvalidOption } from '../../values/invalid-option';

test.each<[unknown, string]>([
  ['text', 'port: "text" is wrong'],
  [5, 'port: 5 is wrong'],
  [undefined, 'port: undefined is wrong'],
  [Number.NaN, 'port: NaN is wrong'],
  [['a'], 'port: ["a"] is wrong'],
  ['a\nb\u0085\u2028\u202e\u007f', 'port: "a\\nb\\u0085\\u2028\\u202e\\u007f" is wrong'],
  ['x'.repeat(300), `port: "${'x'.repeat(199)}… is wrong`],
])('%j stays on one line', (value, message) => {
  expect(new InvalidOption('port', value, 'is wrong').message).toBe(message);
});
