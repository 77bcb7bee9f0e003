import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../docs/chromium';
import { onFileFinished, onTestFinished } from '../afterwards';

/** Where people look at what was tested. */
export const screenshots = resolve(__dirname, '../../reports/browser');

export const sizes = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } } as const;

let browser: Browser;

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  browser = await launchChromium();
  onFileFinished(() => browser.close());
});

/** A page that fails a test by what it complains of. */
export async function open(
  url: string,
  { size = 'wide', scheme = 'light' }: { readonly size?: keyof typeof sizes; readonly scheme?: 'light' | 'dark' } = {},
): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
  const context = await browser.newContext({ viewport: sizes[size], colorScheme: scheme });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** What no person with a screen reader, or none who sees little contrast, could use. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // As a debugger does: the policy of the page lets no script of others in.
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** How much further than the window the page is. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
