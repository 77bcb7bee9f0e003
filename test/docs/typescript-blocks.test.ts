import { join, resolve } from 'node:path';
import ts from 'typescript';
import { prelude, type TypeScriptBlock, typescriptBlocks } from './support/typescript-blocks';

const root = resolve(__dirname, '../..');

/** As in an app of a user, who may leave a constant unused and may await in a module. */
function options(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  return {
    ...ts.parseJsonConfigFileContent({ ...config, include: [], files: [prelude] }, ts.sys, root).options,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noUnusedLocals: false,
    noUnusedParameters: false,
    types: ['node'],
    paths: { fairlead: [join(root, 'index.ts')] },
  };
}

/** One line before the block imports what it takes. */
function moduleOf({ taken, text }: TypeScriptBlock): string {
  return `import { ${taken.join(', ')} } from '${prelude.replace(/\.ts$/, '')}';\n${text}`;
}

test('every block of TypeScript in README and docs is right', () => {
  const blocks = new Map(
    typescriptBlocks().map((block, index) => [
      join(__dirname, `block-${index}.ts`),
      { ...block, module: moduleOf(block) },
    ]),
  );
  expect(blocks.size).toBeGreaterThan(40);

  const compilerOptions = options();
  const disk = ts.createCompilerHost(compilerOptions);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => blocks.has(path) || disk.fileExists(path),
    readFile: (path) => blocks.get(path)?.module ?? disk.readFile(path),
    getSourceFile: (path, ...rest) => {
      const block = blocks.get(path);
      return block === undefined
        ? disk.getSourceFile(path, ...rest)
        : ts.createSourceFile(path, block.module, ts.ScriptTarget.Latest, true);
    },
  };
  const program = ts.createProgram([...blocks.keys()], compilerOptions, host);
  const wrong = [...blocks].flatMap(([path, { at, line }]) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ start = 0, messageText }) => {
        const [page = ''] = at.split(':');
        // The line of imports is before the first of the block.
        const where = line - 1 + (file?.getLineAndCharacterOfPosition(start).line ?? 0);
        return `${page}:${where}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
  expect(wrong).toEqual([]);
});
