import { describe, expect, it } from 'vitest';
import { limitChanges, restartsBetween } from '../../../src/cli/written-changes.ts';
import { effectiveConfig } from '../../../src/config/effective.ts';
import { restartSettings } from '../../../src/fleet/changes.ts';
import { fleetWith, valid } from '../config/support.ts';

/** As it comes over the wire. */
const written = (more: string): unknown => JSON.parse(JSON.stringify(effectiveConfig(valid(fleetWith(more)).fleet)));

describe('changes of limits', () => {
  const key = `key_sha256: "${'0'.repeat(64)}"`;

  it('are told by whose they are, never by the key', () => {
    const before = written(`auth:
  keys: [{ tenant: t, ${key}, limits: { concurrent: 4, requests_per_minute: 10, burst: 5 } }]
  tenants: { t: { limits: { tokens_per_day: 9 }, model_limits: { m: { concurrent: 1 } } } }
`);
    const after = written(`auth:
  keys: [{ tenant: t, ${key}, limits: { concurrent: 2, requests_per_minute: 10 } }]
models: { m: { limits: { requests_per_minute: 3 } } }
`);
    expect(limitChanges(before, after)).toEqual([
      'key 1 of t: concurrent 4 → 2',
      'key 1 of t: burst 5 requests → none',
      'tenant t: tokens_per_day 9 → none',
      'tenant t on m: concurrent 1 → none',
      'each tenant on m: requests_per_minute none → 3',
    ]);
    expect(limitChanges(before, before)).toEqual([]);
  });
});

describe('settings that only a restart applies', () => {
  it('are each found in the words of the fleet file', () => {
    const before = written('');
    expect(restartsBetween(before, before)).toEqual([]);
    const tls = '{ cert_file: "***", key_file: "***" }';
    const after = {
      server: { listen: '0.0.0.0:1', overload: { heap: 0.5 }, tls },
      admin: { listen: 'off', tls },
      shared_state: { redis: 'redis://r' },
      metrics: { tenants: false },
      tracing: { otlp: 'http://c' },
      logging: { format: 'pretty' },
    };
    expect(restartsBetween(before, after)).toEqual([...restartSettings]);
  });

  it('are not the certificates of a port, only what it speaks', () => {
    const port = (tls: object) => ({ server: { tls } });
    const [plain, mutual] = [{ cert_file: '***' }, { cert_file: '***', client_ca_file: '***' }];
    expect(restartsBetween(port(plain), port({ ...plain, key_file: '***' }))).toEqual([]);
    expect(restartsBetween(port(plain), port(mutual))).toEqual(['server.tls']);
  });
});
