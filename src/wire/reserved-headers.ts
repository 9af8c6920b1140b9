// Request headers that never pass from a caller to a backend, whatever is configured: hop by hop, the router's own to
// set, or a credential of the caller. RFC 9110 section 7.6.1.

const reserved = new Set([
  'host',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'authorization',
  'x-api-key',
  'cookie',
]);

/** `name` in lower case. */
export function isReservedHeader(name: string): boolean {
  return reserved.has(name) || name.startsWith('proxy-');
}
