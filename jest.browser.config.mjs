import base from './jest.config.mjs';

export default {
  ...base,
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: ['/node_modules/'],
  // A browser beside what it looks at is enough for one machine.
  maxWorkers: 1,
  testTimeout: 180_000,
  verbose: true,
};
