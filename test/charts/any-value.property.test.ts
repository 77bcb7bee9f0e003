import { App } from 'cdk8s';
import fc from 'fast-check';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import type { LoadBalancedApiProps } from '../../charts/load-balanced-api-props';
import { InvalidOption, InvalidOptions } from '../../validation/invalid-option';
import { besideKeyPair, containerValues, needed, values } from './every-option';
import { manifestsOf, props } from './manifests';

/** What has the syntax of one option, and may be given for another. */
const plausible = fc.constantFrom<unknown>(
  ...[
    '',
    '0',
    '5',
    '30s',
    '75s',
    '1h',
    '1m',
    '8',
    '600',
    '50m',
    '64Mi',
    '1Gi',
    '/tmp',
    '10.0.0.0/8',
    '0.0.0.0/0',
    'a.b',
    'IPv4',
  ],
  ...[-1, 0, 1, 443, 30_080, 1000, 65_536, 1.5],
);
const value = fc.oneof(
  plausible,
  fc.array(plausible, { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('a', 'a..b/x', 'X-A', 'PORT', 'path', 'constructor'), plausible, { maxKeys: 2 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** As JSON tells them apart. */
function kind(given: unknown): string {
  if (given === null) return 'null';
  return Array.isArray(given) ? 'array' : typeof given;
}

/** What is refused of an option, or nothing if everything can be made. */
function refusal(given: object): readonly InvalidOption[] | undefined {
  const app = new App();
  try {
    new LoadBalancedApi(app, 'orders', props(given));
    manifestsOf(app);
    return undefined;
  } catch (error) {
    return error instanceof InvalidOptions ? error.each : [error as InvalidOption];
  }
}

besideKeyPair();

const options: readonly (readonly [option: string, valid: unknown, given: (value: unknown) => object])[] = [
  ...Object.entries(values).map(
    ([option, [valid]]) =>
      [
        option,
        valid,
        (each: unknown) => ({ ...needed[option as keyof LoadBalancedApiProps], [option]: each }),
      ] as const,
  ),
  ...Object.entries(containerValues).map(
    ([option, [valid]]) =>
      [`container.${option}`, valid, (each: unknown) => ({ container: { [option]: each } })] as const,
  ),
];

test.each(options)('%s takes any value that JSON has, or refuses it by its name', (option, valid, given) => {
  fc.assert(
    fc.property(value, (each) => {
      const error = refusal(given(each));
      if (error === undefined) {
        expect(kind(each)).toBe(kind(valid));
        return;
      }
      for (const one of error) {
        expect(one).toBeInstanceOf(InvalidOption);
        expect(one.option.startsWith(`orders ${option}`)).toBe(true);
        expect(one.message).not.toMatch(/\p{Cc}/u);
      }
    }),
    { numRuns: 40, examples: [[null], [''], [0], [[]], [{}], [[null]], [{ a: null }], [false]] },
  );
});
