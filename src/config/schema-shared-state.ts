// Where replicas meet: one Redis, sentinels or a cluster. Which fields exclude each other is in check-shared-state.ts.
import { z } from 'zod';
import { parseServer } from './addresses.ts';
import { filledList, number, text } from './leaves.ts';
import { largestDatabase, parseRedisUrl } from './redis-url.ts';
import { clientTls } from './schema-tls.ts';
import { file, parsedBy, secret } from './schema-values.ts';

const user = {
  username: text((schema) =>
    schema.regex(/^[\x21-\x7e]+$/, { error: 'a username with spaces, control or non-ASCII characters' }),
  ).optional(),
  password: secret.optional(),
  password_file: file.optional(),
};
const nodes = filledList(parsedBy(parseServer, ':\\d{1,5}$'));

export const sharedState = z.strictObject({
  redis: parsedBy(parseRedisUrl, '^[Rr][Ee][Dd][Ii][Ss][Ss]?://').optional(),
  sentinel: z
    .strictObject({
      primary: text((schema) =>
        schema.regex(/^[^\s\p{Cc}]{1,128}$/u, { error: 'expected a name of at most 128 characters without spaces' }),
      ),
      nodes,
      ...user,
    })
    .optional(),
  cluster: z.strictObject({ nodes }).optional(),
  ...user,
  database: number(z.int().min(0).max(largestDatabase)).optional(),
  tls: clientTls.optional(),
  prefix: text((schema) =>
    schema.regex(/^[^\s\p{Cc}{}]{1,64}$/u, {
      error: 'expected 1 to 64 characters without braces, spaces and control characters',
    }),
  ).optional(),
  replicas: number(z.int().min(1).max(10_000)).optional(),
  on_failure: text(z.enum(['local', 'open', 'closed'])).optional(),
});

export type SharedStateEntry = z.output<typeof sharedState>;
