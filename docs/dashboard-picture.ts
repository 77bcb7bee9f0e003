import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../local/ports';
import { launchChromium } from './chromium';

const root = resolve(__dirname, '..');
const picture = join(__dirname, 'dashboard.png');
const largest = 200_000;

/** Runs the canary example with some load, kills an instance, and takes the picture of docs/dashboard.md. */
async function main(): Promise<void> {
  const port = await freePort();
  const ports = ['--dashboard-port', port, '--http-port', await freePort(), '--https-port', await freePort()].map(
    String,
  );
  const program = [
    '-r',
    'ts-node/register',
    'cli.ts',
    'start',
    '--main',
    'examples/canary.ts',
    '--scale',
    '4',
    ...ports,
  ];
  const fairlead = spawn(process.execPath, program, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await said(fairlead.stdout, 'Ctrl-C');
    await takePicture(`http://localhost:${port}`);
  } finally {
    fairlead.kill('SIGINT');
    await once(fairlead, 'exit');
  }
  const { size } = statSync(picture);
  if (size > largest) throw new Error(`${picture} has ${size} bytes: more than ${largest}`);
}

/** Reads on, too: without a reader its output would end it. */
function said(output: NodeJS.ReadableStream, text: string): Promise<void> {
  let all = '';
  return new Promise((resolve, reject) => {
    output.on('data', (chunk) => {
      all += String(chunk);
      if (all.includes(text)) resolve();
    });
    output.once('end', () => {
      reject(new Error(`it does not start:\n${all}`));
    });
  });
}

async function takePicture(url: string): Promise<void> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1010 }, colorScheme: 'light' });
    await page.goto(url);
    await page.selectOption('#rate', '100');
    await page.click('#send');
    await delay(40_000);
    await page.click('[aria-label="Kill orders-2"]');
    await delay(15_000);
    await page.click('[aria-label="Slow orders-3"]');
    await delay(10_000);
    await page.mouse.move(0, 0);
    await page.evaluate('scrollTo(0, 0)');
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}

if (require.main === module) void main();
