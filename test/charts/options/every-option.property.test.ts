import { besideKeyPair, everyFactoryOption, everyOption } from './every-option';
import { synthesize, type TestProps } from '../manifests';

besideKeyPair();

function written(given: TestProps): string {
  return JSON.stringify(synthesize(given));
}

test.each(everyOption.map((option) => [option.name, option] as const))(
  '%s changes what is written, whichever value it has',
  (_name, { values, needs, given }) => {
    const without = written(needs);
    const all = values.map((value) => written(given(value)));
    expect(all.some((manifests) => manifests !== without)).toBe(true);
    expect(new Set(all).size).toBe(all.length);
  },
);

test.each(everyFactoryOption.map((option) => [option.name, option] as const))(
  '%s changes what is written, whichever value it has',
  (_name, { values, written: writtenWith }) => {
    const without = JSON.stringify(writtenWith({}));
    const all = values.map((value) => JSON.stringify(writtenWith({ value })));
    expect(all.some((manifests) => manifests !== without)).toBe(true);
    expect(new Set(all).size).toBe(all.length);
  },
);
