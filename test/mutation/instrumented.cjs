const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');
const { join, relative } = require('node:path');
const swc = require('@swc/jest').createTransformer({ jsc: { target: 'es2022' } });

/** The text of a file with its mutants in it, where it has some. */
function instrumented(source, path) {
  const file = join(process.env.FAIRLEAD_MUTATION_FOLDER, 'instrumented', relative(process.cwd(), path));
  return existsSync(file) ? readFileSync(file, 'utf8') : source;
}

module.exports = {
  process: (source, path, options) => swc.process(instrumented(source, path), path, options),
  getCacheKey: (source, path) => createHash('sha256').update(instrumented(source, path)).update(path).digest('hex'),
};
