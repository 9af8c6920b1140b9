// What can be done from the page: drain, undrain, reload; and the token that it takes.
import { describe, expect, it } from 'vitest';
import { aBackend, aReport } from '../support/a-report.ts';
import { adminToken } from '../support/page/fake-admin.ts';
import { browserTest, rowOf } from './of-test.ts';

const { open, admin } = browserTest();
const fleet = aReport({ backends: [aBackend({ name: 'gpu-a', in_flight: 3 }), aBackend({ name: 'gpu-b' })] });
const refusals = /the server responded with a status of 4(01|03|22)/;

describe('drain', () => {
  it('asks first, then once for the token; a wrong one says so, and the right one stays in this tab', async () => {
    const router = await admin(fleet);
    const page = await open(router.url, {}, refusals);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'drain gpu-a' }).click();
    await dialog.getByText('3 requests in flight run out').waitFor();
    await dialog.getByRole('button', { name: 'drain' }).click();
    await dialog.getByLabel('token').fill('a guess');
    await page.keyboard.press('Enter');
    await dialog.getByText('The router does not know this token.').waitFor();
    expect(router.report.backends[0]?.admin_state).toBe('enabled');
    await dialog.getByLabel('token').fill(adminToken);
    await page.keyboard.press('Enter');
    await page.getByText('gpu-a: draining, 3 in flight').waitFor();
    await rowOf(page, 'gpu-a').getByRole('button', { name: 'undrain gpu-a' }).click();
    await page.getByText('gpu-a: enabled, 3 in flight').waitFor();
    const kept = await page.evaluate(() => [
      Object.entries(sessionStorage),
      Object.entries(localStorage),
      document.cookie,
    ]);
    expect(kept).toEqual([[['switchyard-admin-token', adminToken]], [], '']);
    expect(router.asked.filter((one) => one.startsWith('POST'))).toEqual([
      'POST /backends/gpu-a/drain',
      'POST /backends/gpu-a/drain',
      'POST /backends/gpu-a/undrain',
    ]);
  });

  it.each(['cancel', 'Escape'])('does nothing after %s, and gives the focus back', async (way) => {
    const router = await admin(fleet);
    const page = await open(router.url);
    const button = page.getByRole('button', { name: 'drain gpu-b' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    if (way === 'cancel') await page.getByRole('dialog').getByRole('button', { name: 'cancel' }).click();
    else await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(router.asked.filter((one) => one.startsWith('POST'))).toEqual([]);
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

describe('reload', () => {
  it('shows the problems of a refused file', async () => {
    const router = await admin(fleet);
    router.reload = { result: 'refused', config: '3f9c1a', problems: ['fleet.yaml:14:5: unknown key "wieght"'] };
    const page = await open(router.url, {}, refusals);
    await page.getByRole('button', { name: 'reload' }).click();
    await page.getByRole('dialog').getByLabel('token').fill(adminToken);
    await page.keyboard.press('Enter');
    await page.getByText('reload: refused, 3f9c1a goes on').waitFor();
    await page.getByText('fleet.yaml:14:5: unknown key "wieght"').waitFor();
    router.reload = { result: 'applied', config: '91be02', changes: '+1 backend', needs_restart: [], warnings: [] };
    await page.getByRole('button', { name: 'reload' }).click();
    await page.getByText('reload: applied 91be02, +1 backend').waitFor();
    await page.getByRole('button', { name: 'dismiss' }).click();
    expect(await page.locator('.outcome').count()).toBe(0);
  });
});
