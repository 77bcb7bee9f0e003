import { InvalidOption } from '../values/invalid-option';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const registry = '(?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9a-fA-F:]+\\])(?::\\d{1,5})?';
const reference = new RegExp(
  `^(?:${registry}/)?${component}(?:/${component})*(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][\\w+.-]*:[0-9a-fA-F]{32,})?$`,
);

/** The name of an image. @see https://github.com/distribution/reference/blob/main/reference.go */
export function imageReference(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > 512 || !reference.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
    );
  }
  return value;
}
