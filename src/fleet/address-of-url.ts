// Where a URL leads to, as sockets and people write it.
import type { Address } from './fleet.ts';

/** Of an `http://` or `https://` URL: the host without brackets, and the port also where it is the usual one. */
export function hostAndPort(url: string): Address {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}
