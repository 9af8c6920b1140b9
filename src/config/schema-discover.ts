// Where backends are found instead of listed. What its fields must agree on is in check-discover.ts.
import { z } from 'zod';
import { number, text } from './leaves.ts';
import { parsedBy } from './schema-values.ts';
import { parseDuration } from './units.ts';

const port = number(z.int().min(1).max(65_535));

const dnsName = text((schema) =>
  schema.regex(/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9.])?$/, {
    error: 'expected a name such as boxes.internal, or _ollama._tcp.lab.internal for SRV',
  }),
);

// RFC 1123, as Kubernetes has it.
const label = text((schema) =>
  schema.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'expected lower-case letters, digits and -' }),
);

export const discover = z.strictObject({
  dns: dnsName.optional(),
  port: port.optional(),
  kubernetes: z
    .strictObject({
      service: label,
      namespace: label.optional(),
      // The number first: explain.ts goes by it.
      port: z.union([port, label]),
    })
    .optional(),
  every: parsedBy(parseDuration)
    .refine((ms) => ms >= 1_000, { error: 'must be at least 1s' })
    .optional(),
});

export type DiscoverEntry = z.output<typeof discover>;
