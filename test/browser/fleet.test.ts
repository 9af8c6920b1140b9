// The fleet table in a real browser: what turns, what is filtered and sorted, by keyboard too.
import { describe, expect, it } from 'vitest';
import { aBackend, aModel, aReport } from '../support/a-report.ts';
import { aBusyReport } from '../support/page/a-busy-report.ts';
import { browserTest, polls, rowOf } from './of-test.ts';

const { open, admin } = browserTest();

describe('the fleet table', () => {
  it('turns the row of a backend that is gone within two polls', async () => {
    const fleet = aReport({ backends: [aBackend({ name: 'gpu-a' }), aBackend({ name: 'gpu-b' })] });
    const router = await admin(fleet);
    const page = await open(router.url);
    await rowOf(page, 'gpu-b').getByText('up', { exact: true }).first().waitFor();
    const gone = aBackend({ name: 'gpu-b', state: 'down', health: 'down', problem: 'connection refused' });
    router.report = { ...fleet, backends: [aBackend({ name: 'gpu-a' }), gone] };
    await polls(page, 2);
    await rowOf(page, 'gpu-b').getByText('connection refused').waitFor();
    expect(await rowOf(page, 'gpu-b').getAttribute('class')).toContain('trouble');
    expect(await page.title()).toBe('1 in trouble · Switchyard');
  });

  it('is filtered from the keyboard, and cleared by Escape', async () => {
    const router = await admin(aBusyReport({ backends: 12 }));
    const page = await open(router.url);
    const rows = page.locator('table.fleet tbody tr');
    await rows.first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('gpu-03');
    expect(await rows.count()).toBe(1);
    expect(await page.locator('#fleet h2').innerText()).toContain('1 of 12 backends');
    await page.keyboard.press('Escape');
    expect(await rows.count()).toBe(12);
    await page.keyboard.type('nothing like this');
    await page.getByText('No backend fits the filter.').waitFor();
  });

  it('shows only those in trouble, and those alone', async () => {
    const router = await admin(aBusyReport({ backends: 12 }));
    const page = await open(router.url);
    await page.getByLabel('only those in trouble').focus();
    await page.keyboard.press('Space');
    expect(await page.locator('table.fleet tbody th .name').allInnerTexts()).toEqual([
      'gpu-03',
      'gpu-06',
      'gpu-09',
      'gpu-12',
    ]);
  });

  it('is sorted by a head that has the focus, and says so', async () => {
    const router = await admin(aBusyReport({ backends: 12 }));
    const page = await open(router.url);
    const head = page.getByRole('columnheader', { name: 'attempts' });
    const attempts = async () =>
      (await page.locator('td[data-head="attempts"] .value').allInnerTexts()).map((text) =>
        Number(text.split('\n')[0]?.replace(',', '')),
      );
    await head.getByRole('button').focus();
    await page.keyboard.press('Enter');
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    expect(await attempts()).toEqual((await attempts()).toSorted((a, b) => b - a));
    await page.keyboard.press('Enter');
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    expect(await attempts()).toEqual((await attempts()).toSorted((a, b) => a - b));
  });

  it('of 200 backends draws again only the row that has changed', async () => {
    const fleet = aBusyReport({ backends: 200 });
    const router = await admin(fleet);
    const page = await open(router.url);
    await page.locator('table.fleet tbody tr').nth(199).waitFor();
    await page.evaluate(() => {
      const changed = new Set<string>();
      Reflect.set(window, 'changedRows', changed);
      // Times that pass are text of their own and no part of this.
      new MutationObserver((records) => {
        for (const { target } of records) {
          const element = target instanceof Element ? target : target.parentElement;
          if (element?.closest('time') === null)
            changed.add(element.closest('tr')?.querySelector('.name')?.textContent ?? '');
        }
      }).observe(document.querySelector('table.fleet') ?? document, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
      });
    });
    const backends = fleet.backends.map((one) => (one.name === 'gpu-150' ? { ...one, in_flight: 77 } : one));
    router.report = { ...fleet, backends };
    await rowOf(page, 'gpu-150').getByText('77').waitFor();
    const changed = await page.evaluate(() => [...(Reflect.get(window, 'changedRows') as Set<string>)]);
    expect(changed).toEqual(['gpu-150']);
    await page.keyboard.press('/');
    await page.keyboard.type('gpu-199');
    expect(await page.locator('table.fleet tbody tr').count()).toBe(1);
  });

  it('keeps a decision open while newer ones come', async () => {
    const fleet = aBusyReport();
    const router = await admin({ ...fleet, decisions: fleet.decisions.slice(1) });
    const page = await open(router.url);
    await page.locator('.decision summary').first().click();
    await page
      .getByRole('region', { name: /^candidates/ })
      .getByText('16 of 16 in flight')
      .waitFor();
    router.report = fleet;
    await page.locator('.decision').nth(13).waitFor();
    await polls(page, 2);
    expect(await page.locator('.decision').evaluateAll((all) => all.map((one) => one.hasAttribute('open')))).toEqual(
      fleet.decisions.map((_, n) => n === 1),
    );
  });
});

describe('names that mean harm', () => {
  it('are text and nothing else', async () => {
    const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"'&amp;`;
    const router = await admin(
      aReport({
        attention: [hostile],
        backends: [
          aBackend({ name: hostile, engine: hostile, problem: hostile, url: 'javascript:alert(1)', models: [hostile] }),
        ],
        models: [aModel({ name: hostile, aliases: [hostile] }), aModel({ name: '__proto__' })],
        tenants: [{ tenant: hostile, requests: 1, input_tokens: 1, output_tokens: 1, limits: [] }],
      }),
    );
    const page = await open(router.url);
    await rowOf(page, hostile).waitFor();
    expect(await page.locator('img, #page script, a[href^="javascript"]').count()).toBe(0);
    expect(await page.locator('#models tbody th .name').allInnerTexts()).toEqual([hostile, '__proto__']);
    expect(await page.title()).toBe('Switchyard');
  });

  it('can be drained like any other', async () => {
    const router = await admin(aReport({ backends: [aBackend({ name: 'a/b?c#d %2e' })] }));
    const page = await open(router.url);
    await page.evaluate(() => sessionStorage.setItem('switchyard-admin-token', 'an-admin-token'));
    await page.getByRole('button', { name: 'drain a/b?c#d %2e' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'drain' }).click();
    await page.getByText('a/b?c#d %2e: draining, nothing in flight').waitFor();
    expect(router.report.backends[0]?.state).toBe('draining');
  });
});
