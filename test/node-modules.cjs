/** Leaves packages to Node, which loads each once a worker; jest would load cdk8s and TypeScript anew for every file. */
module.exports = {
  process: () => ({ code: "module.exports = globalThis[Symbol.for('fairlead.requiredByNode')](__filename);" }),
  getCacheKey: () => 'by Node, 1',
};
