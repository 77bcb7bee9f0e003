const vm = require('node:vm');
const { ModernFakeTimers } = require('@jest/fake-timers');
const { TestEnvironment } = require('jest-environment-node');
const { ModuleMocker } = require('jest-mock');

// What jest evaluates in this context runs in the realm of the worker itself.
const realm = vm.createContext();
const { compileFunction } = vm;
vm.compileFunction = (code, parameters, { parsingContext, ...options }) =>
  compileFunction(code, parameters, parsingContext === realm ? options : { ...options, parsingContext });

// For `node-modules.cjs`: whatever else a test file can get hold of loads by jest.
globalThis[Symbol.for('fairlead.requiredByNode')] = (file) => require(file);

/**
 * Test files of a worker in one realm, so that they share the packages that Node has loaded once (`node-modules.cjs`):
 * an object that cdk8s makes is then an `Object` to the test too. Their own modules stay their own.
 */
module.exports = class OneRealm extends TestEnvironment {
  // jest puts its own around them for each file.
  given = { exit: process.exit, getBuiltinModule: process.getBuiltinModule };

  constructor(config, context) {
    super(config, context);
    this.global = globalThis;
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimersModern = new ModernFakeTimers({ config: config.projectConfig, global: globalThis });
  }

  getVmContext() {
    return this.global && realm;
  }

  async teardown() {
    Object.assign(process, this.given);
    await super.teardown();
  }
};
