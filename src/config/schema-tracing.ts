// Where traces go: the collector's base address, as OTEL_EXPORTER_OTLP_ENDPOINT has it, and how many of them.
import { z } from 'zod';
import type { TracingSettings } from '../fleet/fleet.ts';
import { type Parsed, parseBackendUrl } from './addresses.ts';
import { sampleRatioDefault } from './defaults.ts';
import { number } from './leaves.ts';
import { parsedBy } from './schema-values.ts';

export const tracing = z.strictObject({
  otlp: parsedBy(parseCollector, '^$|^[Hh][Tt][Tt][Pp][Ss]?://').optional(),
  sample: number(z.number().min(0).max(1)).optional(),
});

/** Undefined: without an address there is nobody to tell. */
export function decodeTracing({ otlp, sample }: z.output<typeof tracing>): TracingSettings | undefined {
  return otlp === undefined || otlp === '' ? undefined : { url: otlp, sampleRatio: sample ?? sampleRatioDefault };
}

/** The path that the protocol has for traces is added where it is missing. */
function parseCollector(written: string): Parsed<string> {
  if (written === '') return { value: '' };
  const parsed = parseBackendUrl(written);
  if ('value' in parsed) return { value: parsed.value.replace(/(?:\/v1\/traces)?$/, '/v1/traces') };
  return {
    problem: parsed.problem,
    hint: parsed.problem.startsWith('credentials')
      ? 'take them out and set OTEL_EXPORTER_OTLP_HEADERS'
      : 'write http://HOST:4318',
  };
}
