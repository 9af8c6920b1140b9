// How it looks, and whether everybody can use it: light and dark, on a phone, with 200 backends. Screenshots are kept
// below .cache/screenshots/.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBusyReport } from '../support/page/a-busy-report.ts';
import { browserTest, keepScreenshot, polls } from './of-test.ts';
import { lowContrast, unnamedControls } from './readable.ts';

const { open, admin } = browserTest();

async function openBusy(options: NonNullable<Parameters<typeof open>[1]>, backends = 12): Promise<Page> {
  const router = await admin(aBusyReport({ backends }));
  const page = await open(router.url, options);
  await page
    .locator('table.fleet tbody tr')
    .nth(backends - 1)
    .waitFor();
  router.report = aBusyReport({ backends, nowMs: Date.now() + 2_000 });
  await polls(page, 2);
  return page;
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it('every text has the contrast of AA, and every control a name', async () => {
    const page = await openBusy({ colorScheme, reducedMotion: 'reduce' });
    await page.locator('.decision summary').first().click();
    await page.locator('#models summary').first().click();
    expect(await page.evaluate(lowContrast)).toEqual([]);
    expect(await page.evaluate(unnamedControls)).toEqual([]);
    await page.evaluate(() => scrollTo(0, 0));
    await keepScreenshot(page, colorScheme);
  });
});

describe('the theme', () => {
  it('follows the system until one is chosen, and the choice stays', async () => {
    const page = await openBusy({ colorScheme: 'dark' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.getByRole('button', { name: 'theme: system' }).click();
    expect(await ground()).not.toBe(dark);
    await page.reload();
    await page.getByRole('button', { name: 'theme: light' }).waitFor();
    expect(await ground()).not.toBe(dark);
  });
});

describe('on a phone', () => {
  it('nothing is wider than the screen, and each row is a card that names its values', async () => {
    const page = await openBusy({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    const cell = page.locator('td[data-head="TTFT p95"]').first();
    expect(await cell.evaluate((element) => getComputedStyle(element, '::before').content)).toBe('"TTFT p95"');
    expect(await page.locator('thead').first().isVisible()).toBe(false);
    await page.getByLabel('order').selectOption('state');
    expect(await page.locator('table.fleet tbody th .name').first().innerText()).toBe('gpu-03');
    expect(await page.evaluate(lowContrast)).toEqual([]);
    await keepScreenshot(page, 'phone');
    await page.locator('table.fleet').scrollIntoViewIfNeeded();
    await keepScreenshot(page, 'phone-fleet');
  });
});

describe('with 200 backends', () => {
  it('the heads stay in sight, and so does the way to the other parts', async () => {
    const page = await openBusy({ viewport: { width: 1440, height: 900 } }, 200);
    await keepScreenshot(page, '200-backends');
    await page.locator('.frame.tall').first().focus();
    await page.locator('table.fleet tbody tr').nth(150).scrollIntoViewIfNeeded();
    const frame = await page.locator('.frame.tall').first().boundingBox();
    const head = await page.locator('table.fleet thead').boundingBox();
    expect(Math.round((head?.y ?? 0) - (frame?.y ?? 0))).toBeLessThanOrEqual(1);
    await page.getByRole('link', { name: 'tenants' }).click();
    await page.locator('#tenants h2').waitFor();
    expect(await page.evaluate(() => location.hash)).toBe('#tenants');
  });

  it('can be walked through by keyboard: the way past the head, the filter, the heads, the rows', async () => {
    const page = await openBusy({}, 200);
    await page.keyboard.press('Tab');
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    expect(await focused()).toBe('to the fleet');
    await page.keyboard.press('Enter');
    const walked: string[] = [];
    for (let step = 0; step < 16; step++) {
      await page.keyboard.press('Tab');
      walked.push(await page.evaluate(() => document.activeElement?.tagName ?? ''));
    }
    expect(new Set(walked)).toEqual(new Set(['INPUT', 'DIV', 'BUTTON']));
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
    expect(outline).toBe('solid');
  });
});
