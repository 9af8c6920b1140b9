// A JSON answer for those who ask again and again: a weak ETag by which nothing is sent twice, and gzip where it is taken.
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'koa';

const compress = promisify(gzip);

/** Smaller ones fit into one packet as they are. */
const gzipAboveBytes = 1024;

/** `stable`: as much of the value as tells whether it is another one than before. */
export async function sendConditionally(ctx: Context, value: unknown, stable: string): Promise<void> {
  const tag = `W/"${hash('sha1', stable, 'base64url')}"`;
  ctx.set({ etag: tag, 'cache-control': 'no-cache', vary: 'accept-encoding' });
  if (isKnown(ctx.get('if-none-match'), tag)) {
    ctx.status = 304;
    return;
  }
  ctx.type = 'application/json';
  const text = JSON.stringify(value);
  if (text.length <= gzipAboveBytes || ctx.acceptsEncodings('gzip', 'identity') !== 'gzip') {
    ctx.body = text;
    return;
  }
  ctx.set('content-encoding', 'gzip');
  ctx.body = await compress(text, { level: 4 });
}

/** Weakly, as RFC 9110 (13.1.2) has it for GET. */
function isKnown(header: string, tag: string): boolean {
  return header
    .split(',')
    .map((one) => one.trim())
    .some((one) => one === '*' || one === tag || `W/${one}` === tag);
}
