import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { anchor, forSite, others, pages, pathOnSite, sidebar } from './pages.mjs';

/** That of the dashboard. */
const icon = `data:image/svg+xml,${encodeURIComponent(readFileSync(join(import.meta.dirname, '../../dashboard/page/icon.svg'), 'utf8'))}`;

/** Lets pages, which are not below this folder, find what they are rendered with. */
const vueOfSite = {
  name: 'vue-of-site',
  enforce: 'pre',
  resolveId(source, importer) {
    if (!/^vue(?:\/|$)/.test(source) || importer?.endsWith('.md') !== true) return undefined;
    return this.resolve(source, import.meta.filename, { skipSelf: true });
  },
};

/** https://vitepress.dev/reference/site-config; `npm run docs:site` builds it. */
export default defineConfig({
  lang: 'en',
  title: 'fairlead',
  description: 'An Express API on Kubernetes behind a load balancer you can trust, from ten lines of TypeScript',
  head: [['link', { rel: 'icon', href: icon }]],
  // Where it is served below a path: /fairlead/
  base: process.env.SITE_BASE ?? '/',
  // The pages stay where they are read without a site, and lead to one another.
  srcDir: '..',
  srcExclude: others,
  rewrites: {
    ...Object.fromEntries(pages.map((page) => [page, pathOnSite(page)])),
    'site/examples/:example': 'examples/:example',
  },
  ignoreDeadLinks: 'localhostLinks',
  vite: { plugins: [vueOfSite] },
  markdown: {
    anchor: { slugify: anchor },
    config: forSite,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    nav: [
      { text: 'First deployment', link: '/first-deployment' },
      { text: 'Options', link: '/options' },
      { text: 'Examples', link: '/examples/single-api' },
      { text: 'Reliability', link: '/reliability' },
    ],
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    footer: { message: 'Released under the MIT License.' },
  },
});
