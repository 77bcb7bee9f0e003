import base from './jest.config.mjs';

/** Only tests that take milliseconds: each mutant runs those that reach it. */
export default {
  ...base,
  testMatch: [
    '<rootDir>/test/nginx/{configurations,refusals,ways-around}.test.ts',
    '<rootDir>/test/model/**/*.test.ts',
    '<rootDir>/test/charts/**/*.test.ts',
  ],
  testPathIgnorePatterns: [
    ...base.testPathIgnorePatterns.filter((pattern) => !pattern.includes('property')),
    '<rootDir>/test/charts/many-routes\\.test\\.ts',
    '<rootDir>/test/charts/options/(?:any-value|strings)\\.property\\.test\\.ts',
  ],
};
