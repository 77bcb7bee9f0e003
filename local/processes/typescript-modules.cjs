// For processes of the repository itself, which start in half of the time that they take with ts-node: it loads a compiler.
const { createHash, randomUUID } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const { version } = require('@swc/core/package.json');

const options = {
  swcrc: false,
  module: { type: 'commonjs' },
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  sourceMaps: 'inline',
};

/** What was compiled, by what it was compiled from; gone with the next `npm ci`. */
const cache = join(dirname(require.resolve('../../package.json')), 'node_modules', '.cache', `fairlead-swc-${version}`);

function compiled(filename) {
  const source = readFileSync(filename, 'utf8');
  const sourceFileName = basename(filename);
  const key = createHash('sha256')
    .update(JSON.stringify([options, sourceFileName, source]))
    .digest('hex');
  const file = join(cache, `${key}.js`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Loaded only if something is not compiled yet.
    const { transformSync } = require('@swc/core');
    const { code } = transformSync(source, { ...options, filename, sourceFileName });
    keep(file, code);
    return code;
  }
}

/** In one step, as others may read it; a directory that cannot be written to keeps nothing. */
function keep(file, code) {
  try {
    mkdirSync(cache, { recursive: true });
    const unfinished = `${file}.${randomUUID()}`;
    writeFileSync(unfinished, code);
    renameSync(unfinished, file);
  } catch (error) {
    if (!['EACCES', 'EROFS', 'ENOSPC'].includes(error.code)) throw error;
  }
}

require.extensions['.ts'] = (module, filename) => {
  module._compile(compiled(filename), filename);
};
