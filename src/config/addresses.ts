// Listen addresses and backend URLs. No message repeats what was written: a URL may hold a password.
import { isIPv6 } from 'node:net';
import type { Address } from '../fleet/fleet.ts';

export type Parsed<Value> = { readonly value: Value } | { readonly problem: string; readonly hint: string };

/** `127.0.0.1:8000`, `[::1]:8000`, `localhost:0`. */
export function parseListen(text: string): Parsed<Address> {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9][A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text);
  const [, bracketed, plain, digits = ''] = match ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const hint = 'write HOST:PORT, such as 127.0.0.1:8000, 0.0.0.0:8000 or [::1]:8000';
  if (host === undefined || (bracketed !== undefined && !isIPv6(bracketed)))
    return { problem: 'expected an address', hint };
  return port > 65_535 ? { problem: 'a port above 65535', hint } : { value: { host, port } };
}

/** As `parseListen` reads it. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `10.0.0.1:6379`, `[::1]:6379`: a server to connect to. */
export function parseServer(text: string): Parsed<Address> {
  const parsed = parseListen(text);
  const hint = 'write HOST:PORT, such as 10.0.0.1:6379 or [::1]:6379';
  if ('problem' in parsed) return { problem: parsed.problem, hint };
  return parsed.value.port === 0 ? { problem: 'port 0', hint } : parsed;
}

/** As a backend is called: `http://host:port` with an optional path, no slash at its end, and no `/v1`, which paths bring. */
export function parseBackendUrl(text: string): Parsed<string> {
  const hint = 'write http://HOST:PORT';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = /^https?:\/\//i.test(text);
  // Before all else, and also where the rest is no URL: "user:pass@host" without a scheme parses as something else.
  if ((url && (url.username !== '' || url.password !== '')) || /^[^/?#]*(?:\/\/)?[^/?#]*@/.test(text)) {
    return {
      problem: 'credentials in a URL',
      hint: 'take them out and write auth: { bearer_file: /run/secrets/NAME.token }',
    };
  }
  if (!scheme) return { problem: 'a URL that starts with neither http:// nor https://', hint };
  if (!url || url.hostname === '' || url.port === '0') return { problem: 'not a valid URL', hint };
  if (/[?#]/.test(text)) return { problem: 'a URL with a query or a fragment', hint };
  return { value: url.origin + url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '') };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Whether a request to `target` would arrive at a server that listens on `own`. */
export function reaches(target: Address, own: Address): boolean {
  if (own.port === 0 || target.port !== own.port) return false;
  if (target.host.toLowerCase() === own.host.toLowerCase()) return true;
  const isHere = isLoopback(target.host) || isAny(target.host);
  return isHere && (isLoopback(own.host) || isAny(own.host));
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
