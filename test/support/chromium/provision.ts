// Vitest's global setup of the tests in a browser: Chromium from CHROMIUM_PATH, else from the PATH, else installed from
// Debian's packages. Never a skip: without one the run fails and says what to install.
import type { TestProject } from 'vitest/node';
import { findOrInstall, onPath } from '../debian-package.ts';

declare module 'vitest' {
  interface ProvidedContext {
    chromium: string;
  }
}

const howToInstall =
  'These tests need Chromium: put it on the PATH (Debian: apt-get install chromium, which the tests do themselves as root),' +
  ' or name it in CHROMIUM_PATH, then run them again.';

export async function setup(project: TestProject): Promise<void> {
  const given = process.env['CHROMIUM_PATH'];
  const other = onPath('google-chrome') ?? onPath('chromium-browser');
  const found =
    given ?? onPath('chromium') ?? other ?? (await findOrInstall({ program: 'chromium', package: 'chromium', say }));
  if (found === undefined) throw new Error(howToInstall);
  say(found);
  project.provide('chromium', found);
}

function say(text: string): void {
  process.stdout.write(`Chromium for the tests: ${text}\n`);
}
