// What Node's parser lets through and a router must not: a request that two servers could read differently.
import type { Middleware } from 'koa';
import { GatewayError } from '../errors.ts';

const maxHeaders = 100;

export const harden: Middleware = (ctx, next) => {
  const { rawHeaders, url = '', httpVersionMajor, httpVersionMinor, headers } = ctx.req;
  if (rawHeaders.length > maxHeaders * 2) {
    throw new GatewayError('headers_too_large', `The request has more than ${maxHeaders} headers.`);
  }
  if (httpVersionMajor !== 1) throw invalid('This port speaks HTTP/1.1 and HTTP/1.0.');
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    throw new GatewayError('expectation_failed', 'Only "Expect: 100-continue" can be met.');
  }
  if (count(rawHeaders, 'host') > 1 || headers.host === '') throw invalid('The request needs exactly one Host header.');
  if (count(rawHeaders, 'authorization') > 1) throw invalid('The request has more than one Authorization header.');
  if (!url.startsWith('/')) throw invalid('The request target must be a path.');
  // What Node reads as another path than was sent, somebody in front may have read as it was sent.
  if (ctx.path !== url.split('?', 1)[0]) throw invalid('The request target holds characters that no path may hold.');
  if (httpVersionMinor === 0 && headers['transfer-encoding'] !== undefined) {
    throw invalid('HTTP/1.0 has no Transfer-Encoding.');
  }
  return next();
};

function count(rawHeaders: readonly string[], name: string): number {
  let found = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at];
    if (given?.length === name.length && given.toLowerCase() === name) found++;
  }
  return found;
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_request', message, { headers: { connection: 'close' } });
}
