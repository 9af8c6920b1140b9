// What a valid fleet file becomes.
import { describe, expect, it } from 'vitest';
import { fleetFromUrls } from '../../../src/config/load.ts';
import { fleetWith, said, valid } from './support.ts';

describe('a fleet file', () => {
  it('in its short form has names from host and port, engine auto, and every default', () => {
    const { fleet, warnings } = valid(
      'version: 1\nbackends:\n  - url: http://10.0.0.11:8000\n  - url: https://Box.lab/v1/\n',
    );
    expect(warnings).toEqual([]);
    expect(fleet.server).toEqual({
      listen: { host: '127.0.0.1', port: 8000 },
      workers: 1,
      metrics: true,
      maxBodyBytes: 33_554_432,
      drainDelayMs: 5_000,
      drainTimeoutMs: 300_000,
      forwardHeaders: [],
      rateLimitHeaders: 'openai',
      overload: { eventLoopDelayMs: 1_000, heapRatio: 0.9, openFilesRatio: 0.9, bufferedBytes: 1_073_741_824 },
    });
    expect(fleet.auth).toEqual({ mode: 'none', keys: [], tenants: new Map(), maxReservedOutputTokens: 4_096 });
    expect(fleet).not.toHaveProperty('sharedState');
    expect(fleet.routing.policy).toBe('least-connections');
    expect(fleet.logging).toEqual({ level: 'info', format: 'auto', access: 'all' });
    expect(fleet.backends.map(({ name, url }) => [name, url])).toEqual([
      ['10.0.0.11:8000', 'http://10.0.0.11:8000'],
      ['box.lab:443', 'https://box.lab'],
    ]);
    expect(fleet.backends[0]).toEqual({
      name: '10.0.0.11:8000',
      stallAfterMs: 30_000,
      engine: 'auto',
      url: 'http://10.0.0.11:8000',
      weight: 1,
      state: 'enabled',
      usage: 'auto',
      probe: { upAfter: 2, downAfter: 3 },
      timeouts: {
        connectMs: 2_000,
        firstByteMs: 120_000,
        firstBytePlainMs: 600_000,
        gapMs: 60_000,
        totalMs: 3_600_000,
      },
      circuit: {
        consecutive: 5,
        windowMs: 30_000,
        minRequests: 20,
        failureRatio: 0.5,
        openForMs: 5_000,
        growth: 2,
        openMaxMs: 300_000,
      },
    });
  });

  it('keeps a path prefix other than /v1', () => {
    const { fleet } = valid(
      'version: 1\nbackends:\n  - url: http://box:1/llm/v1/\n  - { name: b, url: "http://box:1/x//" }\n',
    );
    expect(fleet.backends.map(({ url }) => url)).toEqual(['http://box:1/llm', 'http://box:1/x']);
  });

  it('merges defaults into backends field by field, and the backend wins', () => {
    const { fleet } = valid(`version: 1
defaults:
  max_in_flight: 4
  timeouts: { gap: 10s, connect: 250ms }
  probe: { interval: 7s, up_after: 1 }
backends:
  - { name: a, url: http://h:1, timeouts: { gap: 20s, connect: }, probe: { down_after: 9 } }
  - { name: b, url: http://h:2, max_in_flight: 8 }
`);
    const [a, b] = fleet.backends;
    expect(a?.timeouts).toMatchObject({ gapMs: 20_000, connectMs: 250, totalMs: 3_600_000 });
    expect(a?.probe).toEqual({ intervalMs: 7_000, upAfter: 1, downAfter: 9 });
    expect([a?.maxInFlight, b?.maxInFlight]).toEqual([4, 8]);
  });

  it('has models by name, declared by their name alone too', () => {
    const { fleet } = valid(
      fleetWith(
        'models:\n  big/one: { aliases: [x], backend_names: { a: y }, context: 9, timeouts: { total: 1h } }\n  plain:\n',
      ),
    );
    expect([...fleet.models.keys()]).toEqual(['big/one', 'plain']);
    expect(fleet.models.get('big/one')).toEqual({
      aliases: ['x'],
      backendNames: new Map([['a', 'y']]),
      contextTokens: 9,
      timeouts: { totalMs: 3_600_000 },
    });
    expect(fleet.models.get('plain')).toEqual({ aliases: [], backendNames: new Map() });
  });

  it('fills in what a simulated backend simulates', () => {
    const { fleet } = valid(
      'version: 1\nbackends:\n  - { name: s, engine: simulated }\n  - { name: t, engine: simulated, models: [m] }\n',
    );
    expect(fleet.backends.map(({ simulate }) => simulate)).toEqual([
      { models: ['simulated-model'], firstTokenMs: 200, tokensPerSecond: 30 },
      { models: ['m'], firstTokenMs: 200, tokensPerSecond: 30 },
    ]);
  });

  it('cannot be changed once loaded', () => {
    const { fleet } = valid(fleetWith('models: { m: { aliases: [x] } }\n'));
    expect(Object.isFrozen(fleet.backends[0]?.timeouts)).toBe(true);
    expect(Object.isFrozen(fleet.models.get('m')?.aliases)).toBe(true);
    expect(() => Reflect.apply(Reflect.get(fleet.models, 'set'), fleet.models, ['n', {}])).toThrow('cannot be changed');
  });

  it('gives way to the environment, and that to flags', () => {
    const text = fleetWith('server: { listen: "127.0.0.1:1" }\n');
    const env = { SWITCHYARD_LISTEN: '127.0.0.1:2', SWITCHYARD_LOG_LEVEL: 'debug' };
    expect(valid(text, { env }).fleet).toMatchObject({ server: { listen: { port: 2 } }, logging: { level: 'debug' } });
    expect(valid(text, { env, listen: '[::1]:3' }).fleet.server.listen).toEqual({ host: '::1', port: 3 });
    expect(said(text, { env: { SWITCHYARD_LISTEN: '8000', SWITCHYARD_LOG_LEVEL: 'debgu' } })).toEqual([
      'SWITCHYARD_LISTEN: error: expected an address (write HOST:PORT, such as 127.0.0.1:8000, 0.0.0.0:8000 or [::1]:8000)',
      'SWITCHYARD_LOG_LEVEL: error: expected one of trace, debug, info, warn, error, fatal, silent (did you mean "debug"?)',
    ]);
  });

  it('has a hash that changes with its text and with the secrets beside it', () => {
    const text = fleetWith('auth: { keys: [{ tenant: t, key_file: k }] }\n');
    const hash = (key: string): string => valid(text, { files: { k: key } }).hash;
    expect(hash('one')).toMatch(/^[0-9a-f]{64}$/);
    expect(hash('one')).toBe(hash('one'));
    expect(hash('one')).not.toBe(hash('two'));
  });

  it('can be left out: URLs are enough, and their problems have no line', () => {
    const loaded = fleetFromUrls(['http://h:1/v1', 'http://h:2'], { env: {} });
    expect('fleet' in loaded && loaded.fleet.backends.map(({ name }) => name)).toEqual(['h:1', 'h:2']);
    expect(fleetFromUrls(['h:1', 'http://h/${X}'], { env: {} })).toMatchObject({
      problems: [
        {
          file: '--backend',
          line: 0,
          message: 'a URL that starts with neither http:// nor https://',
          path: 'backends[0].url',
        },
      ],
    });
  });
});
