import base from './jest.config.mjs';

/** What `npm run test:mutation` runs a file of tests with. */
export default {
  ...base,
  testEnvironment: './test/mutation/environment.cjs',
  transform: {
    '/(?:(?:model|nginx|charts)/.+|.+\\.test)\\.ts$': '<rootDir>/test/mutation/instrumented.cjs',
    ...base.transform,
  },
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: undefined,
};
