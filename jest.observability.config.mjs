import base from './jest.config.mjs';

/** What needs Prometheus, or a collector of OpenTelemetry: a missing one fails by its name. */
export default {
  ...base,
  roots: ['<rootDir>/test/observability'],
  testPathIgnorePatterns: ['/node_modules/'],
};
