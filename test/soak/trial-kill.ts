// 500 streams over four backends, one of which is killed: only the answers that had begun there break.
import { Agent } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { call, type Outcome } from './call.ts';
import { startEngines } from './engine-process.ts';
import { fleetOf } from './fleet.ts';
import { SoakRouter } from './router.ts';
import { say, type Verdict } from './verdict.ts';

const streams = 500;
/** Asked right before the end, so that nothing of them has come. */
const late = 200;

export async function killTrial(verdict: Verdict): Promise<void> {
  const engines = await startEngines(4);
  let router: SoakRouter | undefined;
  try {
    router = await SoakRouter.start(fleetOf(engines, { slots: 1_000 }));
    const agent = new Agent({ keepAlive: true });
    const where = { port: router.port, agent };
    const running = callMany(where, { count: streams, name: 's', pieces: 60, firstMs: 0, gapMs: 200 });
    await setTimeout(5_000);
    const begun = await router.metrics();
    const lateOnes = callMany(where, { count: late, name: 'u', pieces: 5, firstMs: 1_500, gapMs: 50 });
    await setTimeout(700);
    const [victim] = engines;
    const victims = (await router.metrics()).sum('switchyard_backend_inflight_requests', `"${victim?.name}"`);
    await victim?.kill();
    const outcomes = await running;
    const later = await lateOnes;
    agent.destroy();

    const onVictim = outcomes.filter(({ backend }) => backend === victim?.name);
    const elsewhere = outcomes.filter(({ backend }) => backend !== victim?.name);
    say(`${streams} streams, ${onVictim.length} of them on the backend that was killed; ${late} more had not begun`);
    say(`in flight 5 s in: ${begun.sum('switchyard_requests_inflight')}; on the victim at the end: ${victims}`);
    verdict.check('every stream elsewhere is whole, piece by piece', allEnd(elsewhere, 'whole'), counts(elsewhere));
    const said = onVictim.every(({ ending, detail }) => ending === 'broken' && detail === 'backend_broken');
    verdict.check(
      'every stream there breaks and says so, without [DONE]',
      said && onVictim.length > 0,
      counts(onVictim),
    );
    verdict.check(
      'some requests waited for their first byte there',
      victims > onVictim.length,
      `${victims - onVictim.length}`,
    );
    verdict.check('every request that had not begun is whole', allEnd(later, 'whole'), counts(later));
    await checkNothingHeld(router, verdict);
  } finally {
    await router?.kill();
    await Promise.all(engines.map((engine) => engine.kill()));
  }
}

interface Many {
  readonly count: number;
  readonly name: string;
  readonly pieces: number;
  readonly firstMs: number;
  readonly gapMs: number;
}

export function callMany(
  where: Parameters<typeof call>[0],
  { count, name, ...wish }: Many,
): Promise<readonly Outcome[]> {
  const plans = Array.from({ length: count }, (_, n) => ({ ...wish, request: `${name}${n}` }));
  return Promise.all(plans.map((one) => call(where, { kind: 'stream', wish: one })));
}

export function allEnd(outcomes: readonly Outcome[], ending: Outcome['ending']): boolean {
  return outcomes.length > 0 && outcomes.every((outcome) => outcome.ending === ending);
}

/** So many of each ending; with the first reason where there is one. */
export function counts(outcomes: readonly Outcome[]): string {
  const byEnding = Map.groupBy(outcomes, ({ ending }) => ending);
  const parts = [...byEnding].map(([ending, some]) => `${some.length} ${ending} ${some[0]?.detail ?? ''}`.trim());
  return parts.join(', ');
}

export async function checkNothingHeld(router: SoakRouter, verdict: Verdict): Promise<void> {
  let held = Infinity;
  for (let n = 0; n < 50 && held > 0; n++) {
    const metrics = await router.metrics();
    held = metrics.sum('switchyard_requests_inflight') + metrics.sum('switchyard_backend_inflight_requests');
    await setTimeout(100);
  }
  verdict.check('nothing is in flight', held === 0, `${held} held`);
}
