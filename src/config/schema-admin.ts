// Where the router itself is watched and told what to do. What its fields must agree on is in check-admin.ts.
import { z } from 'zod';
import type { Address } from '../fleet/fleet.ts';
import { type Parsed, parseListen } from './addresses.ts';
import { list, text } from './leaves.ts';
import { adminTls } from './schema-tls.ts';
import { file, parsedBy, secret } from './schema-values.ts';

const host = text((schema) =>
  schema.regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, { error: 'expected the name of a host' }),
).transform((value) => value.toLowerCase());

export const admin = z.strictObject({
  listen: parsedBy(parseAdminListen, '^off$|:\\d{1,5}$').optional(),
  allowed_hosts: list(host).optional(),
  token: secret.optional(),
  token_file: file.optional(),
  tls: adminTls.optional(),
});

export type AdminEntry = z.output<typeof admin>;

/** An address, or `off`. */
export function parseAdminListen(written: string): Parsed<Address | 'off'> {
  return written === 'off' ? { value: written } : parseListen(written);
}
