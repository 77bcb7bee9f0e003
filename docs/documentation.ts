import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** An option, or a method, as its source describes it. */
export interface Member {
  readonly name: string;
  readonly isStatic: boolean;
  /** Of an option its type; of a method its parameters. */
  readonly type: string;
  readonly description: string;
  /** What stands behind `@default` or `@see`. */
  readonly tag: (name: string) => string | undefined;
}

/** Interfaces and classes of a few directories, with what their comments say. */
export class Documentation {
  private readonly declarations = new Map<string, ts.InterfaceDeclaration | ts.ClassDeclaration>();

  constructor(directories: readonly string[]) {
    for (const directory of directories) {
      for (const file of readdirSync(directory, { encoding: 'utf8', recursive: true })) {
        if (!file.endsWith('.ts')) continue;
        const text = readFileSync(join(directory, file), 'utf8');
        for (const statement of ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements) {
          if (!ts.isInterfaceDeclaration(statement) && !ts.isClassDeclaration(statement)) continue;
          if (statement.name !== undefined) this.declarations.set(statement.name.text, statement);
        }
      }
    }
  }

  descriptionOf(name: string): string {
    return description(this.declaration(name));
  }

  /** The interfaces of ours that it extends. */
  basesOf(name: string): readonly string[] {
    const clauses = this.declaration(name).heritageClauses ?? [];
    return clauses
      .flatMap(({ types }) => types.map(({ expression }) => expression.getText()))
      .filter((base) => this.declarations.has(base));
  }

  membersOf(name: string): readonly Member[] {
    return this.declaration(name)
      .members.filter(ts.isPropertySignature)
      .map((signature) => ({
        name: signature.name.getText(),
        isStatic: false,
        type: oneLine(signature.type?.getText() ?? ''),
        description: description(signature),
        tag: (tagName) => tag(signature, tagName),
      }));
  }

  /** Those that users call: public, and with a comment. */
  methodsOf(name: string): readonly Member[] {
    return this.declaration(name)
      .members.filter(ts.isMethodDeclaration)
      .filter((method) => !has(method, ts.SyntaxKind.PrivateKeyword) && !ts.isComputedPropertyName(method.name))
      .map((method) => ({
        name: method.name.getText(),
        isStatic: has(method, ts.SyntaxKind.StaticKeyword),
        type: method.parameters.map(parameter).join(', '),
        description: description(method),
        tag: (tagName) => tag(method, tagName),
      }));
  }

  private declaration(name: string): ts.InterfaceDeclaration | ts.ClassDeclaration {
    const found = this.declarations.get(name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }
}

function has({ modifiers }: ts.MethodDeclaration, kind: ts.SyntaxKind): boolean {
  return modifiers?.some((modifier) => modifier.kind === kind) === true;
}

/** `name: string`, `options?: RouteOptions`, `...methods: string[]` */
function parameter({ dotDotDotToken, name, questionToken, initializer, type }: ts.ParameterDeclaration): string {
  const optional = questionToken !== undefined || initializer !== undefined;
  const shown = ts.isIdentifier(name) ? name.text : 'options';
  const byDefault = initializer !== undefined && ts.isStringLiteral(initializer) ? 'string' : 'number';
  const typed = type === undefined ? byDefault : oneLine(type.getText());
  return `${dotDotDotToken === undefined ? '' : '...'}${shown}${optional ? '?' : ''}: ${typed}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\breadonly /g, '').replaceAll(/\s+/g, ' ');
}

function commentOf(node: ts.Node): ts.JSDoc | undefined {
  return ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc);
}

function description(node: ts.Node): string {
  return ts.getTextOfJSDocComment(commentOf(node)?.comment)?.replaceAll(/\s+/g, ' ').trim() ?? '';
}

function tag(node: ts.Node, name: string): string | undefined {
  const found = commentOf(node)?.tags?.find(({ tagName }) => tagName.text === name);
  // A URL in @see is parsed as a name and the rest of its text.
  return found
    ?.getText()
    .replace(/^@\w+\s+/, '')
    .replaceAll(/\s*\n\s*\*\s*/g, ' ')
    .trim();
}
