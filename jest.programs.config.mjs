import base from './jest.config.mjs';

/** Whole programs, as their users start them: commands, what they run, packages that are packed and installed. */
export default {
  ...base,
  roots: ['<rootDir>/test/programs'],
  testPathIgnorePatterns: ['/node_modules/'],
};
