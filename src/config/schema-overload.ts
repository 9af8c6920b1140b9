// Where the router stops taking more: a limit of each kind, or `off`. That a body fits is in cross-checks.ts.
import { z } from 'zod';
import type { Parsed } from './addresses.ts';
import { number } from './leaves.ts';
import { parsedBy } from './schema-values.ts';
import { durationPattern, parseDuration, parseSize, sizePattern } from './units.ts';

const off = 'off';

function orOff(parse: (written: string) => Parsed<number>, pattern: string) {
  return parsedBy((written) => (written === off ? { value: Infinity } : parse(written)), `^${off}$|${pattern}`);
}

const ratio = number(
  z.unknown().transform((value, context) => {
    if (value === off) return Infinity;
    if (typeof value === 'number' && value > 0 && value <= 1) return value;
    context.addIssue({ code: 'custom', message: 'expected a part above 0 and at most 1, or off' });
    return z.NEVER;
  }),
).meta({ anyOf: [{ type: 'number', exclusiveMinimum: 0, maximum: 1 }, { const: off }] });

export const overload = z.strictObject({
  event_loop_delay: orOff(parseDuration, durationPattern)
    .refine((ms) => ms >= 100, { error: 'must be at least 100ms, or off' })
    .optional(),
  heap: ratio.optional(),
  open_files: ratio.optional(),
  buffered: orOff(parseSize, sizePattern)
    .refine((bytes) => bytes >= 1024, { error: 'must be at least 1KiB, or off' })
    .optional(),
});

export type OverloadEntry = z.output<typeof overload>;
