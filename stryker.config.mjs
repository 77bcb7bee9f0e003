/** What `npm run test:mutation` goes by (test/mutation-run.ts), which says what is mutated and which tests are to kill it. */
export default {
  testRunner: 'jest',
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 10_000,
  ignoreStatic: true,
  // Tests are compiled by SWC, which checks no types; and the njs source is part of the manifests, to the letter.
  disableTypeChecks: false,
  ignorePatterns: ['dist', 'lib', 'api/lib', '.fairlead', 'coverage', 'reports'],
  reporters: ['progress-append-only'],
};
