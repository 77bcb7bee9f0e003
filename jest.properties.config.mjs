import base from './jest.config.mjs';

/** What holds for any input: every option with every wrong value, random strings, routes, and sequences of a canary. */
export default {
  ...base,
  testMatch: ['**/*.property.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
