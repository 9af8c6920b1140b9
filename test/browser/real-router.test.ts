// The page of a real router: what an operator sees when a box is gone, and does when it needs maintenance.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RouterProcess } from '../support/router-process.ts';
import { browserTest, polls, rowOf } from './of-test.ts';

const { open } = browserTest();
const token = 'an-admin-token';
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
});

interface Running {
  readonly url: string;
  readonly callers: string;
  readonly router: RouterProcess;
  /** Each a process of its own. */
  readonly boxes: readonly RouterProcess[];
}

async function start(): Promise<Running> {
  const simulate = ['simulate', '--listen', '127.0.0.1:0', '--model', 'test-model', '--first-token', '10ms'];
  const boxes = ['a', 'b'].map(() => new RouterProcess(simulate));
  for (const box of boxes) releases.push(() => box.kill());
  await Promise.all(boxes.map((box) => box.when(({ stdout }) => stdout.endsWith('\n'))));
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-'));
  releases.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'fleet.yaml');
  const probe = '{ interval: 100ms, timeout: 1s, up_after: 1, down_after: 1 }';
  const entries = boxes.map(({ url }, n) => `  - { name: box-${n}, url: "${url}", probe: ${probe} }`);
  writeFileSync(file, `version: 1\nadmin: { token: "\${ADMIN_TOKEN}" }\nbackends:\n${entries.join('\n')}\n`);
  const args = ['serve', '--listen', '127.0.0.1:0', '--config', file];
  const router = new RouterProcess(args, { env: { SWITCHYARD_ADMIN_LISTEN: '127.0.0.1:0', ADMIN_TOKEN: token } });
  releases.push(() => router.kill());
  await router.when(({ stdout }) => stdout.includes('Status:') && stdout.includes('Clients:') && stdout.endsWith('\n'));
  return { url: `${router.adminUrl}/`, callers: router.url, router, boxes };
}

describe('the page of a real router', () => {
  it('turns the row of a box whose process is killed within two polls', async () => {
    const { url, boxes } = await start();
    const page = await open(url);
    await rowOf(page, 'box-1').getByText('up', { exact: true }).first().waitFor();
    await boxes[1]?.kill();
    await polls(page, 2);
    await rowOf(page, 'box-1').getByText('connection refused').waitFor();
    expect(await rowOf(page, 'box-1').getByText('down', { exact: true }).count()).toBeGreaterThan(0);
    expect(await rowOf(page, 'box-0').getByText('up', { exact: true }).count()).toBeGreaterThan(0);
  });

  it('takes a box out with the token, and back', async () => {
    const { url } = await start();
    const page = await open(url, {}, /status of 401/);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'drain box-0' }).click();
    await dialog.getByRole('button', { name: 'drain' }).click();
    await dialog.getByLabel('token').fill('a guess');
    await page.keyboard.press('Enter');
    await dialog.getByText('The router does not know this token.').waitFor();
    await dialog.getByLabel('token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByText('box-0: draining, nothing in flight').waitFor();
    await rowOf(page, 'box-0').locator('td.state').getByText('draining').waitFor();
    await page.getByRole('button', { name: 'undrain box-0' }).click();
    await rowOf(page, 'box-0').locator('td.state').getByText('up', { exact: true }).waitFor();
    expect(await page.locator('.outcome').innerText()).toContain('box-0: ');
  });

  it('explains where a request went', async () => {
    const { url, callers } = await start();
    const page = await open(url);
    const body = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hi' }] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${callers}/v1/chat/completions`, { method: 'POST', headers, body });
    await answer.text();
    expect(answer.status).toBe(200);
    await page.locator('.decision summary').first().click();
    const candidates = page.getByRole('region', { name: /^candidates/ });
    await candidates.getByText('winner').waitFor();
    expect(await candidates.getByRole('rowheader').allInnerTexts()).toHaveLength(2);
    await page.locator('#traffic h2').getByText('1 request since the start').waitFor();
  });

  it('says that the router is gone', async () => {
    const { url, router } = await start();
    const page = await open(url, {}, /ERR_/);
    await rowOf(page, 'box-0').waitFor();
    await router.kill();
    const banner = page.getByText(/^last answer \d+ s ago: no connection to the router$/);
    await banner.waitFor();
    expect(await banner.count()).toBe(1);
  });
});
