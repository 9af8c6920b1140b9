// The effective configuration: whole, in the words of fleet.yaml, and without a secret.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { effectiveConfig } from '../../../src/config/effective.ts';
import { fleetSchema } from '../../../src/config/schema.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/config/units.ts';
import { aFleet } from '../../support/a-fleet.ts';
import { authoritiesOfTest } from '../../support/certificates.ts';
import { type Given, valid } from './support.ts';

const example = readFileSync(new URL('../../../config/fleet.example.yaml', import.meta.url), 'utf8');
const authority = authoritiesOfTest()();
const own = authority.sign();
const secrets = {
  ADMIN_TOKEN: 'secret-admin-token',
  GPU_A_TOKEN: 'secret-bearer',
  REDIS_URL: 'redis://redis-user:secret-password@10.0.0.5:6390/3',
  SENTINEL_PASSWORD: 'secret-password',
  REDIS_PASSWORD: 'secret-password',
  API_KEYS: 'secret-key-one,secret-key-two',
};
const given: Given = {
  env: secrets,
  files: { 'ca.pem': authority.ca, 'c.pem': own.cert, 'k.pem': own.key },
};
const withState = (state: string): string =>
  example.replace(/^shared_state:[^]*?^(?=\w)/m, `shared_state:\n  ${state}\n`);
const tls = 'tls: { ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: redis.internal }';
const sentinel = 'primary: p, nodes: ["10.0.0.1:26379"], username: s, password: "${SENTINEL_PASSWORD}"';
const limits = [
  '{ requests_per_minute: 1, tokens_per_minute: 2, input_tokens_per_minute: 3, output_tokens_per_minute: 4',
  'requests_per_day: 5, tokens_per_day: 6, concurrent: 7, burst: { requests: 1, tokens: 1 } }',
].join(', ');
const pair = '{ cert_file: c.pem, key_file: k.pem }';
const whole = `version: 1
auth: { tenants: { t: { limits: ${limits}, model_limits: { m: ${limits} } } }, mode: keys }
server: { tls: ${pair.replace(' }', ', client_ca_file: ca.pem }')} }
admin: { tls: ${pair} }
backends:
  - { url: "http://h:1", max_in_flight: auto }
  - { url: "https://h:2", tls: { ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: gpu.internal } }
  - { name: g, discover: { dns: boxes.internal, port: 8000, every: 10s }, tls: {} }
  - { name: k, discover: { kubernetes: { service: s, namespace: n, port: http } } }
models:
  m:
    capabilities: { chat-completions: true, completions: true, embeddings: true, tools: true, vision: true, audio: true, json_schema: true }
    timeouts: { connect: 1s, first_byte: 2s, first_byte_plain: 3s, gap: 4s, total: 5s }
    queue: { max_length: 0, max_wait: 1500ms, comments: true }
    limits: ${limits}
tracing: { otlp: "http://collector:4318", sample: 0.5 }
`;
/** Together they say everything that can be said. */
const texts = [
  example,
  withState(`{ sentinel: { ${sentinel} }, username: u, password: "\${REDIS_PASSWORD}", database: 2, ${tls} }`),
  withState('cluster: { nodes: ["[::1]:6379", "10.0.0.2:6379"] }'),
  whole,
];
const shown = texts.map((text) => effectiveConfig(valid(text, given).fleet));

describe('the effective configuration', () => {
  it('has every field of the schema, but for those that say where something comes from', () => {
    expect(missing(fleetSchema, shown, '')).toEqual([
      'admin.token_file',
      'auth.keys.key',
      'auth.keys.key_file',
      'defaults',
      'backends.auth.bearer_file',
      'shared_state.sentinel.password_file',
      'shared_state.password_file',
    ]);
  });

  it('means the same as the file when it is loaded again with its secrets', () => {
    for (const text of [...texts, 'version: 1\nbackends: [{ url: "http://h:1/v1" }]\nadmin: { listen: off }\n']) {
      const { fleet } = valid(text, given);
      const keys = fleet.auth.keys.map(({ sha256 }) => sha256);
      const written = JSON.stringify(effectiveConfig(fleet), (name, value: unknown) =>
        value === '***' ? secretOf(name, keys) : value,
      );
      const again = valid(written, { ...given, env: {} }).fleet;
      expect(again).toEqual({ ...fleet, ...(fleet.admin && { admin: { ...fleet.admin, isChosen: true } }) });
    }
  });

  it('shows no secret of any kind', () => {
    for (const [n, text] of texts.entries()) {
      const { fleet } = valid(text, given);
      const found = JSON.stringify(shown[n]);
      expect(found).not.toMatch(/secret/);
      expect(found).not.toMatch(/PRIVATE KEY|BEGIN CERT/);
      for (const { sha256 } of fleet.auth.keys) expect(found).not.toContain(sha256);
      expect(found).not.toContain(fleet.admin?.tokenSha256);
      expect(found.match(/"\*\*\*"/g)?.length).toBeGreaterThan(1);
    }
  });

  it('says what is switched off', () => {
    const { server } = aFleet();
    const off = { eventLoopDelayMs: Infinity, heapRatio: Infinity, openFilesRatio: Infinity, bufferedBytes: Infinity };
    expect(effectiveConfig({ ...aFleet(), server: { ...server, overload: off } })).toMatchObject({
      server: { overload: { event_loop_delay: 'off', heap: 'off', open_files: 'off', buffered: 'off' } },
      admin: { listen: 'off' },
    });
  });
});

describe('durations and sizes', () => {
  it('are written as they are read', () => {
    for (const ms of [0, 1, 250, 1_000, 1_500, 90_000, 120_000, 7_200_000, 86_400_000])
      expect(parseDuration(formatDuration(ms))).toEqual({ value: ms });
    expect([0, 250, 90_000, 300_000, 7_200_000].map(formatDuration)).toEqual(['0s', '250ms', '90s', '5m', '2h']);
    for (const bytes of [1_024, 1_025, 32 * 2 ** 20, 10 ** 9, 2 ** 30])
      expect(parseSize(formatSize(bytes))).toEqual({ value: bytes });
    expect([1_000, 8_192, 32 * 2 ** 20].map(formatSize)).toEqual(['1000B', '8KiB', '32MiB']);
  });
});

/** Fields of the schema that none of the values has. */
function missing(schema: unknown, values: readonly unknown[], path: string): readonly string[] {
  if (schema instanceof z.ZodOptional) return missing(schema.unwrap(), values, path);
  if (schema instanceof z.ZodArray) return missing(schema.element, values.flat(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => missing(option, values, path));
  const maps = values.filter(
    (value): value is object => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  if (schema instanceof z.ZodRecord)
    return missing(
      schema.valueType,
      maps.flatMap((value) => Object.values(value)),
      path,
    );
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, inner]) => {
    const found = maps.flatMap((value) => new Map(Object.entries(value)).get(name) ?? []);
    const at = path === '' ? name : `${path}.${name}`;
    return found.length === 0 && !isEmptyList(maps, name) ? [at] : missing(inner, found, at);
  });
}

function isEmptyList(maps: readonly object[], name: string): boolean {
  return maps.some((value) => Array.isArray(new Map(Object.entries(value)).get(name)));
}

function secretOf(field: string, keys: string[]): string | undefined {
  switch (field) {
    case 'token':
      return secrets.ADMIN_TOKEN;
    case 'bearer':
      return secrets.GPU_A_TOKEN;
    case 'key_sha256':
      return keys.shift();
    case 'ca_file':
    case 'client_ca_file':
      return 'ca.pem';
    case 'cert_file':
      return 'c.pem';
    case 'key_file':
      return 'k.pem';
    case 'password':
      return secrets.REDIS_PASSWORD;
    default:
      return undefined;
  }
}
