// The status page: static files, built and committed (src/page/static), held in memory. They hold nothing of the fleet; the
// page asks for that itself. It may load and ask nothing but this listener.
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type Router from '@koa/router';
import type { Context } from 'koa';

const folder = new URL('../page/static/', import.meta.url);

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/favicon.svg': ['favicon.svg', 'image/svg+xml'],
} as const;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function addPage(router: Router): void {
  for (const [path, [name, type]] of Object.entries(files)) {
    const body = readFileSync(new URL(name, folder));
    const etag = `"${hash('sha256', body).slice(0, 16)}"`;
    router.get(path, (ctx: Context) => {
      ctx.set({
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        // Asked about each time, so that the page is always the one of the router that runs.
        'cache-control': 'no-cache',
        etag,
      });
      ctx.status = 200;
      if (ctx.fresh) {
        ctx.status = 304;
        return;
      }
      ctx.type = type;
      ctx.body = body;
    });
  }
}
