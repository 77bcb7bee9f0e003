import { availableParallelism } from 'node:os';

/** Packages that test files of a worker share. */
const shared = `/node_modules/(?:${[
  ...['cdk8s', 'cdk8s-plus-27', 'constructs', 'typescript', 'yaml', 'ajv', 'fast-check', 'commander', 'selfsigned'],
  ...['express', 'express4', 'fastify', 'koa', 'ws', 'undici', '@grpc/grpc-js', 'prom-client', 'dns-packet'],
].join('|')})/`;

const transform = {
  '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022' } }],
  [`${shared}.+\\.c?js$`]: '<rootDir>/test/node-modules.cjs',
};

/** What holds for any input, tried with hundreds: `npm run test:properties`. */
const properties = '\\.property\\.test\\.ts$';

export default {
  testEnvironment: './test/one-realm.cjs',
  transformIgnorePatterns: [`/node_modules/(?!${shared.replace('/node_modules/', '')})`],
  // The workspaces as they are, not as they were built last.
  testEnvironmentOptions: { customExportConditions: ['fairlead-source', 'node', 'node-addons'] },
  testTimeout: 60_000,
  // Most of the time a test waits: for DNS to be asked again, for a connection to be closed, for a process to end.
  maxWorkers: Math.max(8, availableParallelism()),
  globalSetup: '<rootDir>/test/usual-ports.ts',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/browser/',
    '<rootDir>/test/kind/',
    '<rootDir>/test/observability/',
    '<rootDir>/test/programs/',
    properties,
  ],
  modulePathIgnorePatterns: [
    '<rootDir>/lib/',
    '<rootDir>/dist/',
    '<rootDir>/.stryker-tmp/',
    '<rootDir>/test/create/apps/',
  ],
  transform,
};
