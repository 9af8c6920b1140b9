import { describe, expect, it, vi } from 'vitest';
import { startRouter } from '../support/running-router.ts';
import { diesAfter, fault, hang, stallsAfter } from '../support/scripted/behaviours.ts';

/** Sockets and servers of this process. Timers are proven elsewhere: a router's process ends by itself once it has stopped. */
function held(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return { sockets: counts.TCPSocketWrap ?? 0, servers: counts.TCPServerWrap ?? 0 };
}

describe('a router that was stopped', () => {
  it('holds no socket and no server, whatever it has been through', async () => {
    const before = held();
    const router = await startRouter({
      engines: [{ imitates: 'vllm' }, { imitates: 'llamacpp' }, { imitates: 'ollama', health: 'hang' }],
    });
    const [first, second] = router.engines;
    first?.respond([diesAfter(2), fault('internal'), fault('busy'), hang(), stallsAfter(2)]);
    second?.respond([stallsAfter(3), fault('bad-json')]);
    await Promise.all(
      Array.from({ length: 24 }, async (_, n) => {
        const signal = AbortSignal.timeout(n % 3 === 0 ? 60 : 5_000);
        const answer = router.chat({ stream: n % 2 === 0 }, { signal }).then((response) => response.text());
        await answer.catch(() => 'left or broken');
      }),
    );
    await router.stop();
    // The test's own client keeps idle connections for a moment.
    await vi.waitFor(() => expect(held()).toEqual(before), { timeout: 10_000 });
  });
});
