import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** What it is called where it is a package of the system. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The Chromium of this machine; nothing is downloaded. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable(),
    // Its sandbox does not start for root, and what it loads is our own page.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

function executable(): string {
  const directories = (process.env.PATH ?? '').split(delimiter);
  const given = process.env.CHROMIUM;
  const candidates =
    given === undefined ? directories.flatMap((path) => names.map((name) => join(path, name))) : [given];
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'Chromium is missing: install it (Debian: apt-get install chromium), or say where it is by CHROMIUM=/path/of/chromium',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
