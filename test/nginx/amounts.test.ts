import fc from 'fast-check';
import { numbersAbove, secondsAbove } from '../../nginx/amounts';

const near = fc.integer({ min: -12, max: 12 });

test('an expression finds every number that is greater, and no other', () => {
  const limits = fc.oneof(fc.nat(12_000), fc.constantFrom(0, 8, 9, 88, 89, 99, 999, 1000, 2 ** 20, 2 ** 40));
  fc.assert(
    fc.property(limits, fc.oneof(near, fc.nat(2 ** 20)), fc.nat(3), (limit, more, zeros) => {
      const number = Math.max(0, limit + more);
      expect(new RegExp(numbersAbove(limit)).test(`${'0'.repeat(zeros)}${number}`)).toBe(number > limit);
    }),
    { numRuns: 1000 },
  );
  for (const other of ['', '-1', '1.5', 'x']) expect(new RegExp(numbersAbove(9)).test(other)).toBe(false);
});

test('an expression finds every time that is longer, and no other', () => {
  const limits = fc.oneof(fc.integer({ min: 1, max: 120_000 }), fc.constantFrom(999, 1000, 9999, 99_999, 86_400_000));
  fc.assert(
    fc.property(limits, fc.oneof(near, fc.nat(2 ** 20)), (limit, more) => {
      const time = Math.max(0, limit + more);
      const logged = `${Math.floor(time / 1000)}.${String(time % 1000).padStart(3, '0')}`;
      expect(new RegExp(secondsAbove(limit)).test(logged)).toBe(time > limit);
    }),
    { numRuns: 1000 },
  );
});
