import type { LoadBalancedApiProps } from '../../charts/load-balanced-api-props';
import { besideKeyPair, containerValues, needed, values } from './every-option';
import { synthesize, type TestProps } from './manifests';

besideKeyPair();

function written(given: TestProps): string {
  return JSON.stringify(synthesize(given));
}

/** What an option is compared with: all that it needs, if that works without it. */
function withoutIt(option: string): string {
  const needs = needed[option as keyof LoadBalancedApiProps];
  try {
    return written(needs ?? {});
  } catch {
    return written({});
  }
}

test.each(Object.entries(values))('%s changes what is written', (option, each) => {
  const without = withoutIt(option);
  const needs = needed[option as keyof LoadBalancedApiProps];
  expect(each.map((value) => written({ ...needs, [option]: value })).some((manifests) => manifests !== without)).toBe(
    true,
  );
});

test.each(Object.entries(containerValues))('container.%s changes what is written', (option, each) => {
  const without = written({});
  expect(
    each.map((value) => written({ container: { [option]: value } })).some((manifests) => manifests !== without),
  ).toBe(true);
});
