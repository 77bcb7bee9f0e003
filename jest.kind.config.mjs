import base from './jest.config.mjs';

export default {
  ...base,
  roots: ['<rootDir>/test/kind'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/kind/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/kind/support/global-teardown.ts',
  // One cluster, and scenarios that must not disturb each other.
  maxWorkers: 1,
  // Conditions are awaited, each with a bound of its own that says what did not come; this one is above them all.
  testTimeout: 900_000,
  verbose: true,
};
