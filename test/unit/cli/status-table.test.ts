import { describe, expect, it } from 'vitest';
import { ago } from '../../../src/cli/ago.ts';
import { unpainted } from '../../../src/cli/colours.ts';
import { isDegraded, statusLines } from '../../../src/cli/status-table.ts';
import { aBackendReport, aReport } from '../../support/fake-admin.ts';

const nowMs = Date.parse('2026-11-24T13:00:00.000Z');

describe('the table of a fleet', () => {
  it('has a row for each backend, and - for what nobody knows', () => {
    const silent = { kv_cache: null, ttft_p95_ms: null, waiting: null, last_change: null };
    const backends = [
      aBackendReport(),
      aBackendReport({ name: 'local-11434', engine: 'ollama', in_flight: 0, max_in_flight: 4, ...silent }),
      aBackendReport({ name: 'gpu-b', state: 'draining', admin_state: 'draining', ttft_p95_ms: 12_340 }),
    ];
    expect(statusLines(aReport({ backends }), nowMs, unpainted)).toEqual([
      'BACKEND      ENGINE  STATE     INFLIGHT  WAITING  KV   TTFT p95  LAST CHANGE',
      'gpu-a        vllm    up        3         0        41%  180 ms    2 m ago',
      'local-11434  ollama  up        0/4       -        -    -         -',
      'gpu-b        vllm    draining  3         0        41%  12.3 s    2 m ago',
    ]);
  });

  it('is followed by what needs a look', () => {
    const refused = { at: '2026-11-24T12:59:00.000Z', problems: ['fleet.yaml:4:5: error: unknown key "wieght"'] };
    const report = aReport({
      phase: 'stopping',
      attention: ['the newest fleet file was refused', 'llama has no usable backend'],
      config: { source: 'fleet.yaml', hash: '3f9c1a000000', loaded_at: '2026-11-24T12:00:00.000Z', refused },
      backends: [aBackendReport({ state: 'down', health: 'down', problem: 'connection refused' })],
    });
    expect(statusLines(report, nowMs, unpainted).slice(2)).toEqual([
      '',
      'The router is stopping.',
      'the newest fleet file was refused',
      'llama has no usable backend',
      '  fleet.yaml:4:5: error: unknown key "wieght"',
      'gpu-a is down: connection refused',
    ]);
  });

  it('says the state in words whatever the colours', () => {
    const painted = statusLines(aReport(), nowMs, (tone, text) => `<${tone}>${text}`);
    expect(painted.join('\n')).toContain('<good>up');
  });
});

describe('a fleet', () => {
  it.each([
    ['all up', {}, false],
    ['a drained backend', { backends: [aBackendReport({ state: 'draining', admin_state: 'draining' })] }, false],
    ['a backend that is down', { backends: [aBackendReport({ state: 'down', health: 'down' })] }, true],
    ['something for attention', { attention: ['Redis is away'] }, true],
    ['a router that stops', { phase: 'stopping' }, true],
  ] as const)('with %s is degraded: %j → %j', (_name, fields, degraded) => {
    expect(isDegraded(aReport(fields))).toBe(degraded);
  });
});

describe('how long ago something was', () => {
  it.each([
    ['2026-11-24T12:59:52.000Z', '8 s ago'],
    ['2026-11-24T12:58:00.000Z', '2 m ago'],
    ['2026-11-24T09:30:00.000Z', '3 h ago'],
    ['2026-11-20T13:00:00.000Z', '4 d ago'],
    ['2026-11-24T13:00:05.000Z', '0 s ago'],
    ['no time', '-'],
  ])('%s is said as %s', (at, words) => {
    expect(ago(at, nowMs)).toBe(words);
  });
});
