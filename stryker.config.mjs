/** What the tests catch of nginx/ and charts/: `npm run test:mutation`. */
export default {
  testRunner: 'jest',
  mutate: ['nginx/**/*.ts', 'charts/**/*.ts'],
  jest: { configFile: 'jest.mutation.config.mjs' },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 30_000,
  ignoreStatic: true,
  ignorePatterns: ['dist', 'lib', 'api/lib', '.fairlead', 'coverage', 'reports'],
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { allowColor: false, logTests: false },
  thresholds: { high: 95, low: 85, break: 85 },
};
