import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

const tracing = (fields: string) => fleetWith(`tracing: { ${fields} }\n`);

describe('tracing', () => {
  it.each([
    ['http://localhost:4318', 'http://localhost:4318/v1/traces'],
    ['http://localhost:4318/', 'http://localhost:4318/v1/traces'],
    ['https://collector/base', 'https://collector/base/v1/traces'],
    ['http://localhost:4318/v1/traces', 'http://localhost:4318/v1/traces'],
  ])('goes from %s to the path that the protocol has for it', (otlp, url) => {
    expect(valid(tracing(`otlp: "${otlp}"`)).fleet.tracing).toEqual({ url, sampleRatio: 1 });
  });

  it('takes a share of the requests', () => {
    expect(valid(tracing('otlp: "http://c:4318", sample: 0.1')).fleet.tracing?.sampleRatio).toBe(0.1);
    expect(said(tracing('sample: 2'))).toEqual(['fleet.yaml:4:20: error: must be at most 1 at tracing.sample']);
  });

  it('is off without an address, also where a variable is empty', () => {
    expect(valid(tracing('otlp: "${OTLP:-}"')).fleet.tracing).toBeUndefined();
    expect(valid(tracing('sample: 0.5')).fleet.tracing).toBeUndefined();
  });

  it('refuses what is no address, and says nothing of a password in it', () => {
    expect(said(tracing('otlp: "localhost:4318"'))).toEqual([
      'fleet.yaml:4:18: error: a URL that starts with neither http:// nor https:// at tracing.otlp (write http://HOST:4318)',
    ]);
    expect(said(tracing('otlp: "http://u:p4ss@c:4318"'))).toEqual([
      'fleet.yaml:4:18: error: credentials in a URL at tracing.otlp (take them out and set OTEL_EXPORTER_OTLP_HEADERS)',
    ]);
  });
});
