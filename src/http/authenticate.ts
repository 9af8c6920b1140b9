// Who is asking: from the headers alone, before anything of the body is read.
import type { IncomingMessage } from 'node:http';
import type { Caller, Keyring } from '../access/keyring.ts';
import { GatewayError } from '../errors.ts';

/** @throws GatewayError `unauthorized`, the same for a missing, a wrong and an expired key. */
export function authenticate(keyring: Keyring, request: IncomingMessage, unixMs: number): Caller {
  const caller = keyring.find(credential(request), unixMs);
  if (caller !== undefined) return caller;
  const message = 'A valid API key is needed: send "Authorization: Bearer KEY" or "x-api-key: KEY".';
  throw new GatewayError('unauthorized', message, { headers: { 'www-authenticate': 'Bearer' } });
}

function credential({ headers }: IncomingMessage): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined && /^bearer /i.test(authorization)) return authorization.slice(7).trim();
  const key = headers['x-api-key'];
  return typeof key === 'string' ? key : undefined;
}
