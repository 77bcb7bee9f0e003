/** Leaves packages to Node, which loads each once a worker; jest would load cdk8s and TypeScript anew for every file. */
module.exports = {
  process: () => ({
    code: `module.exports = process.getBuiltinModule('node:module').createRequire(__filename)(__filename);`,
  }),
  getCacheKey: () => 'by Node',
};
