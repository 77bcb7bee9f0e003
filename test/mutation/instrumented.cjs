const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');
const { join, relative } = require('node:path');
const swc = require('@swc/jest').createTransformer({ jsc: { target: 'es2022' } });

/** What the environment calls the time after the imports of a file of tests, until its tests run. */
const whileLoaded = 'while loaded';
const imports = /^(?:import [^;]+;\s*)+/;

/** The text of a file with its mutants in it, where it has some; that of tests says when its imports are done. */
function instrumented(source, path) {
  if (path.endsWith('.test.ts')) return source.replace(imports, `$&__stryker__.currentTestId = '${whileLoaded}';\n`);
  const file = join(process.env.FAIRLEAD_MUTATION_FOLDER, 'instrumented', relative(process.cwd(), path));
  return existsSync(file) ? readFileSync(file, 'utf8') : source;
}

module.exports = {
  whileLoaded,
  process: (source, path, options) => swc.process(instrumented(source, path), path, options),
  getCacheKey: (source, path) => createHash('sha256').update(instrumented(source, path)).update(path).digest('hex'),
};
