import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { blocksOf } from './support/pages';

const root = resolve(__dirname, '../..');
const prelude = join(__dirname, 'support/prelude.ts');

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

/** Names that a module gives, with those of what it gives whole. */
function exportsOf(file: string): string[] {
  const { statements } = ts.createSourceFile(file, ts.sys.readFile(file) ?? '', ts.ScriptTarget.Latest);
  return statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement)) return declaredBy(statement);
    if (!ts.isExportDeclaration(statement)) return [];
    const { exportClause, moduleSpecifier } = statement;
    if (exportClause !== undefined) {
      return ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : [];
    }
    return moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier)
      ? exportsOf(`${join(dirname(file), moduleSpecifier.text)}.ts`)
      : [];
  });
}

function declaredBy({ declarationList }: ts.VariableStatement): string[] {
  return declarationList.declarations.flatMap(({ name }) =>
    ts.isIdentifier(name)
      ? [name.text]
      : name.elements.flatMap((element) =>
          ts.isBindingElement(element) && ts.isIdentifier(element.name) ? [element.name.text] : [],
        ),
  );
}

/** What a block has of its own: what it imports and declares. */
function ownNames(block: ts.SourceFile): string[] {
  return block.statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement)) return declaredBy(statement);
    if (!ts.isImportDeclaration(statement)) return [];
    const { name, namedBindings } = statement.importClause ?? {};
    const named =
      namedBindings === undefined
        ? []
        : ts.isNamedImports(namedBindings)
          ? namedBindings.elements.map((element) => element.name.text)
          : [namedBindings.name.text];
    return [...(name === undefined ? [] : [name.text]), ...named];
  });
}

/** A block as a module: one line before it takes from the prelude what it has not of its own. */
function moduleOf(text: string, known: readonly string[]): string {
  const block = ts.createSourceFile('block.ts', text, ts.ScriptTarget.Latest, true);
  const own = ownNames(block);
  const used = new Set<string>();
  const look = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) used.add(node.text);
    ts.forEachChild(node, look);
  };
  look(block);
  const taken = known.filter((name) => used.has(name) && !own.includes(name));
  return `import { ${taken.join(', ')} } from '${prelude.replace(/\.ts$/, '')}';\n${text}`;
}

test('every block of TypeScript in README and docs is right', () => {
  const known = [...new Set(exportsOf(prelude))];
  const blocks = new Map(
    blocksOf('ts').map(({ at, line, text }, index) => [
      join(__dirname, `block-${index}.ts`),
      { at, line, module: moduleOf(text, known) },
    ]),
  );
  expect(blocks.size).toBeGreaterThan(40);

  const compilerOptions = options();
  const host = ts.createCompilerHost(compilerOptions);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => blocks.has(path) || fileExists(path);
  host.readFile = (path) => blocks.get(path)?.module ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const block = blocks.get(path);
    return block === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, block.module, ts.ScriptTarget.Latest, true);
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
