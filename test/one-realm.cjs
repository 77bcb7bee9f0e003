const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');
const { ModuleMocker } = require('jest-mock');

// What jest evaluates in this context runs in the realm of the worker itself.
const realm = vm.createContext();
const { compileFunction } = vm;
vm.compileFunction = (code, parameters, { parsingContext, ...options }) =>
  compileFunction(code, parameters, parsingContext === realm ? options : { ...options, parsingContext });

/**
 * Test files of a worker in one realm, so that they share the packages that Node has loaded once (`node-modules.cjs`):
 * an object that cdk8s makes is then an `Object` to the test too. Their own modules stay their own.
 */
module.exports = class OneRealm extends TestEnvironment {
  exit = process.exit;

  constructor(config, context) {
    super(config, context);
    this.global = globalThis;
    this.moduleMocker = new ModuleMocker(globalThis);
  }

  getVmContext() {
    return this.global && realm;
  }

  async teardown() {
    // jest puts a warning around it for each file.
    process.exit = this.exit;
    await super.teardown();
  }
};
