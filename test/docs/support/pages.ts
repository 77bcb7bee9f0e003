import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../..');

/** What is between two fences of a page. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** That of its first line, from 1. */
  readonly line: number;
}

/** A page of Markdown, by its path from the root. */
export interface Page {
  readonly path: string;
  readonly blocks: readonly CodeBlock[];
  /** Lines of prose: without what is in blocks. */
  readonly prose: readonly { readonly text: string; readonly line: number }[];
}

/** What users read. */
export const pagePaths: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'create/README.md',
  'reliability/README.md',
  'serve/README.md',
  'site/index.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export function page(path: string): Page {
  const blocks: { language: string; text: string; line: number }[] = [];
  const prose: { text: string; line: number }[] = [];
  let open: { fence: string; indent: number } | undefined;
  for (const [index, text] of readFileSync(join(root, path), 'utf8').split('\n').entries()) {
    const [, indent = '', fence, language = ''] = /^( *)(`{3,})(\w*)$/.exec(text) ?? [];
    const block = blocks.at(-1);
    if (open !== undefined && block !== undefined) {
      if (fence === open.fence && language === '') open = undefined;
      else block.text += `${text.slice(open.indent)}\n`;
    } else if (fence === undefined) prose.push({ text, line: index + 1 });
    else {
      open = { fence, indent: indent.length };
      blocks.push({ language, text: '', line: index + 2 });
    }
  }
  if (open !== undefined) throw new Error(`${path}: the block of line ${blocks.at(-1)?.line ?? 0} has no end`);
  return { path, blocks, prose };
}

/** Blocks of a language, with where they stand: `docs/operations.md:172`. */
export function blocksOf(...languages: readonly string[]): (CodeBlock & { readonly at: string })[] {
  return pagePaths.flatMap((path) =>
    page(path)
      .blocks.filter(({ language }) => languages.includes(language))
      .map((block) => ({ ...block, at: `${path}:${block.line}` })),
  );
}

/** What of a file a link may name behind `#`, as GitHub makes it of headings. */
export function anchorsOf(path: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const { text } of page(path).prose) {
    for (const [, id = ''] of text.matchAll(/<a id="([^"]+)">/g)) anchors.add(id);
    const [, heading] = /^#{1,6} +(.*?) *#*$/.exec(text) ?? [];
    if (heading === undefined) continue;
    const anchor = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\p{Mark} _-]/gu, '')
      .replaceAll(' ', '-');
    let [unique, count] = [anchor, 0];
    while (anchors.has(unique)) unique = `${anchor}-${(count += 1)}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Links of a page, to whatever they lead. */
export function linksOf(path: string): { readonly target: string; readonly at: string }[] {
  return page(path).prose.flatMap(({ text, line }) =>
    [...text.replaceAll(/`[^`]*`/g, '``').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({
      target,
      at: `${path}:${line}`,
    })),
  );
}

/** Whether something is there, by its path from the root. */
export function isThere(path: string): boolean {
  return existsSync(join(root, path));
}
