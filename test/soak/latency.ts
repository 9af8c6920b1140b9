// What the router adds to the time until the first piece: the same calls to an engine and through the router, by turns, while
// nothing else happens. Told, not judged: machines differ, and are noisy.
import { Agent } from 'node:http';
import { call } from './call.ts';
import type { EngineProcess } from './engine-process.ts';
import type { SoakRouter } from './router.ts';
import { say } from './verdict.ts';

const pairs = 200;

/** Resolves with how many the router was asked. */
export async function addedLatency(engines: readonly EngineProcess[], router: SoakRouter): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const direct: number[] = [];
  const through: number[] = [];
  for (let n = 0; n < pairs; n++) {
    const engine = engines[n % engines.length];
    if (engine === undefined) break;
    for (const [port, times] of [
      [engine.port, direct],
      [router.port, through],
    ] as const) {
      const wish = { request: `l${n}`, pieces: 3, firstMs: 0, gapMs: 0 };
      const { firstMs, ending } = await call({ port, agent }, { kind: 'stream', wish });
      if (ending === 'whole' && firstMs !== undefined) times.push(firstMs);
    }
  }
  agent.destroy();
  const parts = [50, 99].map((percent) => {
    const [own, routed] = [percentile(direct, percent), percentile(through, percent)];
    return `p${percent} ${own.toFixed(2)} ms, through the router ${routed.toFixed(2)} ms (× ${(routed / own).toFixed(2)})`;
  });
  say(`time to the first piece: ${parts.join('; ')}`);
  return through.length;
}

function percentile(times: readonly number[], percent: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN;
}
