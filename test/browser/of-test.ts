// One Chromium for a test file, a fresh context for each test. Whatever the page complains about fails the test: errors
// on the console, exceptions, violations of its own policy.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import type { FleetReport } from '../../src/fleet/report.ts';
import { FakeAdmin } from '../support/page/fake-admin.ts';
import { root } from '../support/router-process.ts';

const screenshots = join(root, '.cache', 'screenshots');

export interface BrowserTest {
  /** A tab at this address; complaints that fit `expected` are none. */
  readonly open: (url: string, options?: BrowserContextOptions, expected?: RegExp) => Promise<Page>;
  readonly admin: (report: FleetReport) => Promise<FakeAdmin>;
}

/** Call at the top of a test file. */
export function browserTest(): BrowserTest {
  let browser: Browser | undefined;
  const admins: FakeAdmin[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: inject('chromium'),
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    for (const admin of admins.splice(0)) await admin.stop();
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());
  return {
    async open(url, options = {}, expected) {
      if (browser === undefined) throw new Error('open a page inside of a test');
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      const page = await context.newPage();
      const complain = (text: string) => {
        if (expected?.test(text) !== true) complaints.push(text);
      };
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complain(message.text());
      });
      page.on('pageerror', (error) => complain(error.message));
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== new URL(url).origin) complain(`asked elsewhere: ${request.url()}`);
      });
      await page.goto(url);
      return page;
    },
    async admin(report) {
      const admin = new FakeAdmin(report);
      admins.push(admin);
      await admin.start();
      return admin;
    },
  };
}

/** Kept as output of the run. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

/** The row of a backend in the fleet table. */
export function rowOf(page: Page, backend: string) {
  return page.locator('table.fleet tbody tr').filter({ has: page.getByRole('rowheader', { name: backend }) });
}

/** Resolves once the router has answered so many polls more. */
export async function polls(page: Page, count: number): Promise<void> {
  for (let seen = 0; seen < count; seen++) await page.waitForResponse((answer) => answer.url().endsWith('/fleet'));
}
