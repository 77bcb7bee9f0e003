import { App } from 'cdk8s';
import fc from 'fast-check';
import { LoadBalancedApi } from '../../../charts/load-balanced-api';
import { InvalidOption, InvalidOptions } from '../../../validation/invalid-option';
import { besideKeyPair, everyFactoryOption, everyOption } from './every-option';
import { manifestsOf, props } from '../manifests';

/** What has the syntax of one option, and may be given for another. */
const plausible = fc.constantFrom<unknown>(
  ...['', '0', '5', '30s', '75s', '1h', '1m', '8', '600', '50m', '64Mi', '1Gi', '/tmp', '10.0.0.0/8', '0.0.0.0/0'],
  ...['a.b', 'IPv4', 'required', 'text/html'],
  ...[-1, 0, 1, 443, 30_080, 1000, 65_536, 1.5],
);
const anyValue = fc.oneof(
  plausible,
  fc.array(plausible, { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('a', 'a..b/x', 'X-A', 'PORT', 'path', 'min', 'request', 'constructor'), plausible, {
    maxKeys: 2,
  }),
  fc.jsonValue({ maxDepth: 2 }),
);
const runs = {
  numRuns: 16,
  examples: [[null], [''], [0], [[]], [{}], [[null]], [{ a: null }], [false]] as [unknown][],
};

/** As JSON tells them apart. */
function kind(given: unknown): string {
  if (given === null) return 'null';
  return Array.isArray(given) ? 'array' : typeof given;
}

/** What was refused, each by its name and in one line; cdk8s collects what is found in the tree of constructs. */
function refusals(error: unknown): readonly string[] {
  if (error instanceof InvalidOptions) return error.each.map(({ message }) => message);
  if (error instanceof InvalidOption) return [error.message];
  const [heading, ...lines] = error instanceof Error ? error.message.split('\n  ') : [];
  if (heading !== 'Validation failed with the following errors:') throw error;
  return lines.map((line) => line.replace(/^\[[^\]]*\] /, ''));
}

besideKeyPair();

// Thousands of refusals are caught here, and nobody reads where they came from.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

/** Where an option is named when it is given beside others that it does not go with. */
const groups = /^orders(?:\/orders\/(?:orders|nginx)(?:, route \/)?)? /;

test.each(everyOption.map((option) => [option.name, option] as const))(
  '%s takes any value that JSON has, or refuses it by its name',
  (name, { values, given }) => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const app = new App();
        try {
          new LoadBalancedApi(app, 'orders', props(given(value)));
          manifestsOf(app);
        } catch (error) {
          for (const message of refusals(error)) {
            expect(message).toMatch(groups);
            const option = message.replace(groups, '');
            const [, own = ''] = /^(?:proxy|route|namespace)\.(.*)$/.exec(name) ?? [];
            expect([name, own === '' ? name : own].some((each) => option.startsWith(each))).toBe(true);
            expect(message).not.toMatch(/\p{Cc}/u);
          }
          return;
        }
        expect(values.map(kind)).toContain(kind(value));
      }),
      runs,
    );
  },
);

test.each(everyFactoryOption.map((option) => [option.name, option] as const))(
  '%s takes any value that JSON has, or refuses it by its name',
  (name, { values, written }) => {
    const [factory = '', option = ''] = name.split(' ');
    fc.assert(
      fc.property(anyValue, (value) => {
        try {
          written({ value });
        } catch (error) {
          for (const message of refusals(error)) {
            const ofMonitoring = `shop/edge, addMonitoring ${option}`;
            const named = [
              `${factory} ${option}`,
              `shop/edge ${option}`,
              'orders/orders/nginx, route / ',
              ofMonitoring,
            ];
            expect(named.some((each) => message.startsWith(each))).toBe(true);
            expect(message).not.toMatch(/\p{Cc}/u);
          }
          return;
        }
        expect(values.map(kind)).toContain(kind(value));
      }),
      runs,
    );
  },
);
