// TLS: towards a server that is connected to, and of a port of ours. What files must hold and agree on is in tls-files.ts.
import { z } from 'zod';
import { text } from './leaves.ts';
import { file } from './schema-values.ts';

/** Towards backends and Redis. */
export const clientTls = z.strictObject({
  ca_file: file.optional(),
  cert_file: file.optional(),
  key_file: file.optional(),
  server_name: text((schema) =>
    schema.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/, { error: 'expected the name of a host' }),
  ).optional(),
});

const pair = { cert_file: file, key_file: file };

export const adminTls = z.strictObject(pair);
export const serverTls = z.strictObject({ ...pair, client_ca_file: file.optional() });
