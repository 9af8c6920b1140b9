// A page whose router has gone: it says so, keeps what it knows, and recovers by itself.
import { describe, expect, it } from 'vitest';
import { aReport } from '../support/a-report.ts';
import { browserTest, polls, rowOf } from './of-test.ts';

const { open, admin } = browserTest();

describe('a page without answers', () => {
  it('says for how long and why, dims, and recovers when the router is back', async () => {
    const router = await admin(aReport());
    const page = await open(router.url, {}, /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);
    await rowOf(page, 'gpu-a').waitFor();
    await router.stop();
    await page.getByText(/^last answer \d+ s ago: no connection to the router$/).waitFor();
    expect(await page.locator('main.dim').count()).toBe(1);
    expect(await page.getByRole('status').first().textContent()).toContain('does not answer');
    expect(await page.title()).toBe('no answer · Switchyard');
    await rowOf(page, 'gpu-a').waitFor();
    await router.start();
    await page.locator('.stale').waitFor({ state: 'detached' });
    expect(await page.locator('main.dim').count()).toBe(0);
    expect(await page.getByRole('status').first().textContent()).toBe('The router answers again.');
  });

  it('is sent nothing that it has already', async () => {
    const router = await admin(aReport());
    const page = await open(router.url);
    await polls(page, 2);
    expect(router.answered.slice(0, 2)).toEqual([200, 304]);
  });
});
