import { InvalidOption } from '../../validation/invalid-option';

const itself: unknown[] = [];
itself.push(itself);

test.each<[unknown, string]>([
  ['text', 'port: "text" is wrong'],
  [5, 'port: 5 is wrong'],
  [undefined, 'port: undefined is wrong'],
  [Number.NaN, 'port: NaN is wrong'],
  [['a'], 'port: ["a"] is wrong'],
  [5n, 'port: 5 is wrong'],
  [() => 5, 'port: (function) is wrong'],
  [Symbol('a'), 'port: (symbol) is wrong'],
  [itself, 'port: (object) is wrong'],
  ['a\nb\u0085\u2028\u202e\u007f', 'port: "a\\nb\\u0085\\u2028\\u202e\\u007f" is wrong'],
  ['x'.repeat(300), `port: "${'x'.repeat(199)}… is wrong`],
])('%p stays on one line', (value, message) => {
  expect(new InvalidOption('port', value, 'is wrong').message).toBe(message);
});
