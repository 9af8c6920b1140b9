// Who is asking: from the headers alone, before anything of the body is read.
import type { IncomingMessage } from 'node:http';
import type { Caller, Keyring } from '../access/keyring.ts';
import { GatewayError } from '../errors.ts';

/** @throws GatewayError `unauthorized`, the same for a missing, a wrong and an expired key. */
export function authenticate(keyring: Keyring, request: IncomingMessage, unixMs: number): Caller {
  const { bearer, apiKey } = credentials(request);
  // SDKs always send a bearer, if only a placeholder, so it does not rule out the other header.
  const caller = keyring.find(bearer, unixMs) ?? keyring.find(apiKey, unixMs);
  if (caller !== undefined) return caller;
  const message = 'A valid API key is needed: send "Authorization: Bearer KEY" or "x-api-key: KEY".';
  throw new GatewayError('unauthorized', message, { headers: { 'www-authenticate': 'Bearer' } });
}

interface Credentials {
  readonly bearer: string | undefined;
  readonly apiKey: string | undefined;
}

function credentials({ headers }: IncomingMessage): Credentials {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  return {
    bearer: authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : undefined,
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
  };
}
