// Values that fields of several parts of fleet.yaml have in common: names, secrets, counts, and text with a syntax of its own.
import { z } from 'zod';
import type { Parsed } from './addresses.ts';
import { filledText, number, text } from './leaves.ts';
import { durationPattern, parseDuration } from './units.ts';

// Also a metric label and, for backends, a response header.
export const name = text((schema) =>
  schema.regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/, {
    error: 'expected a name of at most 128 letters, digits and . _ : / @ - that starts with a letter or digit',
  }),
);

export const modelName = text((schema) =>
  schema.regex(/^[^\s\p{Cc}]{1,256}$/u, { error: 'expected a model name of at most 256 characters without spaces' }),
);

export const secret = text((schema) =>
  schema.regex(/^[\x21-\x7e]+$/, { error: 'a secret with spaces, control or non-ASCII characters' }),
);

/** The path of a file, from the directory of the fleet file. */
export const file = filledText;

export const count = number(z.int().min(1));

/** Text that `parse` understands; what comes out is what it means. `pattern`: about the same, for editors. */
export function parsedBy<Value>(parse: (written: string) => Parsed<Value>, pattern?: string) {
  const parsing = text().transform((written, context) => {
    const parsed = parse(written);
    if ('value' in parsed) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.problem, params: { hint: parsed.hint } });
    return z.NEVER;
  });
  return pattern === undefined ? parsing : parsing.meta({ pattern });
}

export const duration = parsedBy(parseDuration, durationPattern);
export const positive = duration.refine((ms) => ms >= 1, { error: 'must be at least 1ms' });
