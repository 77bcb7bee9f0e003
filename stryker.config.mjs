/** What the tests catch of model/, nginx/ and charts/: `npm run test:mutation`. */
export default {
  testRunner: 'jest',
  mutate: ['model/**/*.ts', 'nginx/**/*.ts', 'charts/**/*.ts'],
  jest: { configFile: 'jest.mutation.config.mjs' },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 30_000,
  ignoreStatic: true,
  // Tests are compiled by SWC, which checks no types; and the njs source is part of the manifests, to the letter.
  disableTypeChecks: false,
  ignorePatterns: ['dist', 'lib', 'api/lib', '.fairlead', 'coverage', 'reports'],
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { allowColor: false, logTests: false },
  thresholds: { high: 95, low: 85, break: 85 },
};
