import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, posix, resolve } from 'node:path';
import { onFileFinished } from '../afterwards';
import { open, overflow, screenshots, seriousViolations, sizes } from './browser';

const root = resolve(__dirname, '../..');
const site = join(root, 'site/.vitepress/dist');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

let url: string;

beforeAll(async () => {
  execFileSync('npm', ['run', '--silent', 'docs:site'], { cwd: root, stdio: 'pipe' });
  const server = createServer((request, response) => {
    const path = decodeURI((request.url ?? '/').replace(/[?#].*/, '').replace(/\/$/, '/index.html'));
    const file = join(site, posix.normalize(path));
    if (!existsSync(file)) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': types[extname(file)] ?? '' }).end(readFileSync(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onFileFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 300_000);

const unescaped = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');

describe('the site', () => {
  test('has every page, and each link of it leads to something', () => {
    const files = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
    const documented = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
    expect(files.length).toBeGreaterThan(documented.length);
    const text = new Map(files.map((name) => [`/${name}`, readFileSync(join(site, name), 'utf8')]));
    const ids = new Map(
      [...text].map(([name, html]) => [name, new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id))]),
    );
    const broken = [...text].flatMap(([name, html]) =>
      [...html.matchAll(/<a [^>]*?href="([^"]*)"/g)]
        .map(([, href = '']) => unescaped(href))
        .filter((href) => !/^[a-z]+:/.test(href))
        .filter((href) => {
          const [path = '', fragment = ''] = href.split('#');
          const to = path === '' ? name : posix.join(posix.dirname(name), path).replace(/\/$/, '/index.html');
          const page = path.startsWith('/') ? path.replace(/\/$/, '/index.html') : to;
          return fragment === '' ? !existsSync(join(site, page)) : ids.get(page)?.has(decodeURI(fragment)) !== true;
        })
        .map((href) => `${name}: ${href}`),
    );
    expect(broken).toEqual([]);
  });

  test.each(['/', '/options.html', '/examples/canary.html'])(
    '%s can be read in a wide and a narrow window, light and dark, and asks no other host',
    async (path) => {
      for (const scheme of ['light', 'dark'] as const) {
        const { page, complaints } = await open(`${url}${path}`, { scheme });
        const others: string[] = [];
        page.on('request', (request) => {
          if (!request.url().startsWith(url)) others.push(request.url());
        });
        await page.reload({ waitUntil: 'networkidle' });
        for (const size of ['wide', 'narrow'] as const) {
          await page.setViewportSize(sizes[size]);
          const name = `site-${path.replaceAll(/\W|html/g, '') || 'home'}-${size}-${scheme}.png`;
          await page.screenshot({ path: join(screenshots, name) });
          expect(await overflow(page)).toBe(0);
        }
        expect(await seriousViolations(page)).toEqual([]);
        expect([complaints, others]).toEqual([[], []]);
      }
    },
  );

  test('finds a word in its pages', async () => {
    const { page, complaints } = await open(`${url}/`);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('searchbox').fill('GOAWAY');
    const found = page.locator('.results a', { hasText: 'GOAWAY' }).first();
    await found.click();
    await page.locator('.vp-doc', { hasText: 'GOAWAY' }).waitFor();
    expect(complaints).toEqual([]);
  });
});
