import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Those of the site, by their paths in the repository. */
export const pages = [
  'README.md',
  'CHANGELOG.md',
  'create/README.md',
  'reliability/README.md',
  'serve/README.md',
  'site/index.md',
  ...readdirSync(join(root, 'docs'))
    // It is a part of reliability.md.
    .filter((name) => name.endsWith('.md') && name !== 'reliability-notes.md')
    .map((name) => `docs/${name}`),
];

/** Of the repository, what is not of the site: Markdown that is nobody's page, and folders without any. */
export const others = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    pages.some((page) => page.startsWith(`${name}/`))
      ? readdirSync(join(root, name))
          .map((file) => `${name}/${file}`)
          .filter((path) => path.endsWith('.md') && !pages.includes(path))
      : [`${name}/**`],
  )
  .concat(readdirSync(root).filter((name) => name.endsWith('.md') && !pages.includes(name)));

/** Names of the programs in examples/, without `.ts`. */
export const examples = readdirSync(join(root, 'examples'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => basename(name, '.ts'));

const renamed = {
  'README.md': 'overview.md',
  'docs/README.md': 'documentation.md',
  'CHANGELOG.md': 'changelog.md',
  'create/README.md': 'create.md',
  'reliability/README.md': 'fairlead-reliability.md',
  'serve/README.md': 'serve.md',
};

/** `routes.md` of `docs/routes.md` */
export function pathOnSite(page) {
  return renamed[page] ?? page.replace(/^(?:docs|site)\//, '');
}

/** What GitHub makes of a heading: links to parts of a page lead there in both. */
export function anchor(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\p{Mark} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The groups of docs/README.md, which a test holds complete. */
export function sidebar() {
  const [, ...parts] = readFileSync(join(root, 'docs/README.md'), 'utf8').split(/^## /m);
  const groups = parts.map((part) => ({
    text: part.slice(0, part.indexOf('\n')),
    items: [...part.matchAll(/^- \[(.*?)\]\((.*?)\.md\)/gm)].map(([, , name]) => ({
      text: titleOf(`docs/${name}.md`),
      link: `/${name}`,
    })),
  }));
  return [
    { text: 'fairlead', items: [{ text: 'Five minutes', link: '/overview' }] },
    ...groups,
    { text: 'Examples', items: examples.map((name) => ({ text: name, link: `/examples/${name}` })) },
    {
      text: 'Packages',
      items: [
        { text: 'create-fairlead', link: '/create' },
        { text: 'fairlead-reliability', link: '/fairlead-reliability' },
        { text: 'fairlead-serve', link: '/serve' },
        { text: 'Changelog', link: '/changelog' },
      ],
    },
  ];
}

function titleOf(page) {
  const [, title = page] = /^# (.*)$/m.exec(readFileSync(join(root, page), 'utf8')) ?? [];
  return title;
}

/** Links between files of the repository, as links between pages of the site. A file without a page is named only. Code stays what it is. */
export function forSite(markdown) {
  markdown.core.ruler.push('for-site', ({ tokens, env }) => {
    const directory = posix.dirname(relative(root, env.realPath ?? env.path));
    for (const { children } of tokens) {
      let isNamedOnly = false;
      for (const token of children ?? []) {
        // Vue would take what is in two braces for its own.
        if (token.type === 'code_inline') token.attrSet('v-pre', '');
        if (token.type === 'link_open') {
          const link = onSite(directory, token.attrGet('href'));
          isNamedOnly = link === undefined;
          if (link !== undefined) token.attrSet('href', link);
        }
        if (isNamedOnly && /^link_(?:open|close)$/.test(token.type)) {
          token.type = token.type.replace('link', 'span');
          token.tag = 'span';
          token.attrs = null;
        }
      }
    }
  });
}

function onSite(directory, target) {
  if (/^(?:[a-z]+:|#)/.test(target)) return target;
  const [file, ...behind] = target.split('#');
  const path = posix.join(directory, decodeURI(file));
  const [, example] = /^examples\/([\w-]+)\.ts$/.exec(path) ?? [];
  const page = path === 'examples' ? `examples/${examples[0]}.md` : example && `examples/${example}.md`;
  if (page !== undefined) return `/${page}`;
  return pages.includes(path) ? [`/${pathOnSite(path)}`, ...behind].join('#') : undefined;
}
