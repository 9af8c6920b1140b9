// The status page as files of the admin listener: where it is served, and what it may do in a browser.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aReport } from '../support/a-report.ts';
import { FakeAdmin } from '../support/page/fake-admin.ts';
import { exchangeBytes } from '../support/raw-http.ts';
import { routerPerTest } from '../support/running-router.ts';

const { start } = routerPerTest();
const files = [
  ['', 'text/html; charset=utf-8'],
  ['page.js', 'text/javascript; charset=utf-8'],
  ['page.css', 'text/css; charset=utf-8'],
  ['favicon.svg', 'image/svg+xml'],
] as const;

let admin: FakeAdmin;
beforeEach(async () => {
  admin = new FakeAdmin(aReport());
  await admin.start();
});
afterEach(() => admin.stop());

describe('the page', () => {
  it.each(files)('serves /%s as %s, which no browser may take for anything else', async (name, type) => {
    const answer = await fetch(`${admin.url}${name}`);
    const headers = ['content-type', 'x-content-type-options', 'cache-control', 'referrer-policy'];
    expect(answer.status).toBe(200);
    expect(headers.map((one) => answer.headers.get(one))).toEqual([type, 'nosniff', 'no-cache', 'no-referrer']);
    expect((await answer.text()).length).toBeGreaterThan(100);
  });

  it('may run its own script and ask its own listener, and nothing else', async () => {
    const policy = (await fetch(admin.url)).headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(await (await fetch(admin.url)).text()).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
  });

  it('is sent once: after that 304, without a body', async () => {
    const etag = (await fetch(`${admin.url}page.js`)).headers.get('etag') ?? '';
    const ask = (known: string) =>
      exchangeBytes(
        Number(new URL(admin.url).port),
        `GET /page.js HTTP/1.1\r\nhost: localhost\r\nif-none-match: ${known}\r\nconnection: close\r\n\r\n`,
      );
    const again = await ask(etag);
    expect(again.split('\r\n')[0]).toBe('HTTP/1.1 304 Not Modified');
    expect(again.endsWith('\r\n\r\n')).toBe(true);
    expect((await ask('"other"')).split('\r\n')[0]).toBe('HTTP/1.1 200 OK');
  });

  it('is nowhere on the port for callers', async () => {
    const router = await start();
    for (const [name] of files) expect((await router.get(`/${name}`)).status).toBe(404);
  });

  it('has no files but its own', async () => {
    for (const path of ['index.html', 'page.js.map', '..%2fapp.tsx', 'static/page.js'])
      expect((await fetch(`${admin.url}${path}`)).status).toBe(404);
  });
});
