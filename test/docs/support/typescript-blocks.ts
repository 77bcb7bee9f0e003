import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { blocksOf } from './pages';

export const prelude = resolve(__dirname, 'prelude.ts');

/** A block of TypeScript of a page. */
export interface TypeScriptBlock {
  /** `docs/operations.md:172` */
  readonly at: string;
  /** That of its first line in its page. */
  readonly line: number;
  readonly text: string;
  /** What it takes from the prelude: what it uses, and neither imports nor declares. */
  readonly taken: readonly string[];
  /** Where its own imports are from. */
  readonly imported: readonly string[];
}

export function typescriptBlocks(): TypeScriptBlock[] {
  const known = [...new Set(exportsOf(prelude))];
  return blocksOf('ts').map(({ at, line, text }) => {
    const block = ts.createSourceFile('block.ts', text, ts.ScriptTarget.Latest, true);
    const own = ownNames(block);
    const used = new Set<string>();
    const look = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) used.add(node.text);
      ts.forEachChild(node, look);
    };
    look(block);
    const imported = block.statements.flatMap((statement) =>
      ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier)
        ? [statement.moduleSpecifier.text]
        : [],
    );
    return { at, line, text, taken: known.filter((name) => used.has(name) && !own.includes(name)), imported };
  });
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
