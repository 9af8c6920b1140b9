// Backends behind a Service of Kubernetes, watched through an API server over TLS.
import { describe, expect, it, vi } from 'vitest';
import type { Group } from '../../src/fleet/discovery.ts';
import { aBackend } from '../support/a-fleet.ts';
import { authoritiesOfTest } from '../support/certificates.ts';
import { aSlice, clustersOfTest, type FakeCluster } from '../support/fake-cluster.ts';
import { quickProbe, routerPerTest, type RunningRouter } from '../support/running-router.ts';
import { enginesOfTest } from '../support/scripted/engines-of-test.ts';

const startEngine = enginesOfTest();
const startCluster = clustersOfTest();
const { start } = routerPerTest();
const authority = authoritiesOfTest()();
const ready = { ready: true };
const ending = { ready: false, serving: true, terminating: true };

function startIn({ cluster }: FakeCluster, port: number | string, more: Partial<Group> = {}): Promise<RunningRouter> {
  const group: Group = {
    name: 'ollama',
    template: aBackend({ name: 'ollama', engine: 'vllm', probe: quickProbe }),
    scheme: 'http',
    source: { kind: 'kubernetes', service: 'ollama', port },
    everyMs: 300,
    ...more,
  };
  return start({
    engines: [],
    groups: [group],
    answerers: { cluster },
    waitUntilDiscovered: cluster.host !== undefined,
  });
}

const shown = ({ service }: RunningRouter) => service.fleet.backends.map(({ name, state }) => [name, state]);

async function one() {
  const engine = await startEngine({ imitates: 'vllm' });
  const cluster = await startCluster(authority);
  cluster.put(aSlice('s1', [{ name: 'ollama-0', host: '127.0.0.1' }]));
  return { engine, cluster, router: await startIn(cluster, engine.port) };
}

const watched = (cluster: FakeCluster) => vi.waitFor(() => expect(cluster.watching).toBe(1), { timeout: 5_000 });

describe('pods behind a service', () => {
  it('serve under their names, asked for with the account of the pod in its namespace', async () => {
    const { cluster, router } = await one();
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe('ollama/ollama-0');
    await watched(cluster);
    const path =
      '/apis/discovery.k8s.io/v1/namespaces/lab/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dollama';
    expect(cluster.asked).toEqual([path, expect.stringMatching(/&watch=true.*&resourceVersion=2$/)]);
    expect([...cluster.tokens]).toEqual(['Bearer first-token']);
  });

  it('come, are drained while they end, and go, as the watch tells', async () => {
    const { cluster, router } = await one();
    await watched(cluster);
    cluster.put(aSlice('s2', [{ name: 'ollama-1', host: '127.0.0.2' }]));
    await vi.waitFor(() =>
      expect(shown(router)).toEqual([
        ['ollama/ollama-0', 'enabled'],
        ['ollama/ollama-1', 'enabled'],
      ]),
    );
    cluster.put(aSlice('s1', [{ name: 'ollama-0', host: '127.0.0.1', conditions: ending }]));
    await vi.waitFor(() => expect(shown(router)[0]).toEqual(['ollama/ollama-0', 'draining']));
    cluster.remove('s1');
    await vi.waitFor(() => expect(shown(router)).toEqual([['ollama/ollama-1', 'enabled']]), { timeout: 5_000 });
    expect(cluster.asked).toHaveLength(2);
  });

  it.each([
    ['a cut connection', (cluster: FakeCluster) => cluster.cut(), 1],
    ['the end of its time', (cluster: FakeCluster) => cluster.finish(), 0],
    [
      'a version that is too old',
      (cluster: FakeCluster) => cluster.send('{"type":"ERROR","object":{"code":410,"reason":"Gone"}}'),
      0,
    ],
    ['nonsense', (cluster: FakeCluster) => cluster.send('{"type":'), 1],
  ] as const)('are listed and watched again after %s', async (_what, end, failures) => {
    const { cluster, router } = await one();
    await watched(cluster);
    end(cluster);
    await vi.waitFor(() => expect(cluster.asked.length).toBeGreaterThanOrEqual(4), { timeout: 10_000 });
    await watched(cluster);
    cluster.put(aSlice('s2', [{ name: 'ollama-1', host: '127.0.0.2' }]));
    await vi.waitFor(() => expect(shown(router)).toHaveLength(2), { timeout: 5_000 });
    expect(router.log.filter(({ discovery }) => discovery === 'failed')).toHaveLength(failures);
    expect((await router.chat()).status).toBe(200);
  });

  it('stay while the API server refuses, which is told once and asked with a new token when there is one', async () => {
    const { cluster, router } = await one();
    await watched(cluster);
    cluster.status = 401;
    cluster.cut();
    const asked = cluster.asked.length;
    await vi.waitFor(() => expect(cluster.asked.length).toBeGreaterThan(asked + 2), { timeout: 10_000 });
    expect(shown(router)).toHaveLength(1);
    expect(router.log.filter(({ code }) => code === 'HTTP 401')).toHaveLength(1);
    cluster.rotateToken('second-token');
    cluster.status = 200;
    await watched(cluster);
    expect(cluster.tokens).toContain('Bearer second-token');
    expect(JSON.stringify(router.log)).not.toMatch(/first-token|second-token/);
  });

  it('may be a hundred', async () => {
    const cluster = await startCluster(authority);
    const pods = Array.from({ length: 100 }, (_, n) => ({ name: `p-${n}`, host: `127.0.1.${n}`, conditions: ready }));
    const engine = await startEngine({ imitates: 'vllm' });
    cluster.put(aSlice('s1', pods.slice(0, 50), [{ name: 'http', port: engine.port }]));
    cluster.put(aSlice('s2', pods.slice(50), [{ name: 'http', port: engine.port }]));
    const router = await startIn(cluster, 'http');
    expect(router.service.fleet.backends).toHaveLength(100);
    await watched(cluster);
    for (const { name, host } of pods.slice(0, 20))
      cluster.put(aSlice(`own-${name}`, [{ name: `more-${name}`, host }], [{ name: 'http', port: engine.port + 1 }]));
    await vi.waitFor(() => expect(router.service.fleet.backends).toHaveLength(120), { timeout: 10_000 });
    cluster.remove('s1');
    await vi.waitFor(() => expect(router.service.fleet.backends).toHaveLength(70), { timeout: 10_000 });
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ states: 70, leaving: 0, probes: 70 }));
  });

  it('are not found outside of a cluster, which is told', async () => {
    const cluster = { host: undefined, port: undefined, account: '/nowhere' };
    const router = await startIn({ cluster } as FakeCluster, 80);
    expect(router.log.filter(({ discovery }) => discovery === 'failed').map(({ code }) => code)).toEqual([
      'not in a cluster',
    ]);
    expect((await router.get('/readyz')).status).toBe(503);
  });
});

describe('a router that stops', () => {
  it('ends its watch', async () => {
    const { cluster, router } = await one();
    await watched(cluster);
    await router.service.stop();
    await vi.waitFor(() => expect(cluster.watching).toBe(0));
  });
});
