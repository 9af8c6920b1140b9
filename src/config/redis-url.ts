// `redis://USER:PASSWORD@HOST:PORT/DATABASE`, `rediss://` for TLS. No message repeats what was written: it may hold a password.
import type { Address } from '../fleet/fleet.ts';
import { type Parsed, parseServer } from './addresses.ts';

export interface RedisUrl {
  readonly address: Address;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** Absent: the URL does not say. */
  readonly database?: number;
}

/** Redis counts its databases in 31 bits. */
export const largestDatabase = 2 ** 31 - 1;

const hint = 'write redis://HOST:PORT/0 or redis://USER:PASSWORD@HOST:PORT/0; in a password, %XX for / ? # @ %';

export function parseRedisUrl(text: string): Parsed<RedisUrl> {
  const [, scheme, rest = ''] = /^(rediss?):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return { problem: 'a URL that starts with neither redis:// nor rediss://', hint };
  if (/[?#]/.test(rest)) return { problem: 'a URL with a query or a fragment', hint };
  const match = /^(?:([^:@/]*)(?::([^@/]*))?@)?([^@/]*)(?:\/(\d*))?$/.exec(rest);
  if (!match) return { problem: 'not a valid URL', hint };
  const [, user = '', secret = '', authority = '', digits = ''] = match;
  const address = parseServer(/(?:^[^:]+|\])$/.test(authority) ? `${authority}:6379` : authority);
  if ('problem' in address) return { problem: 'a URL without a valid host and port', hint };
  const [username, password] = [unescaped(user), unescaped(secret)];
  if (username === undefined || password === undefined)
    return { problem: 'a username or password with spaces, control or non-ASCII characters, or a stray %', hint };
  if (username !== '' && password === '') return { problem: 'a username without a password', hint };
  if (Number(digits) > largestDatabase) return { problem: `a database above ${largestDatabase}`, hint };
  return {
    value: {
      address: address.value,
      tls: scheme.toLowerCase() === 'rediss',
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
      ...(digits === '' ? {} : { database: Number(digits) }),
    },
  };
}

function unescaped(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    return /^[\x21-\x7e]*$/.test(decoded) ? decoded : undefined;
  } catch {
    return undefined;
  }
}
