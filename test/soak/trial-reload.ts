// 500 streams while the fleet file is edited and read a hundred times.
import { Agent } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { type EngineProcess, startEngines } from './engine-process.ts';
import { fleetOf } from './fleet.ts';
import { SoakRouter } from './router.ts';
import { allEnd, callMany, checkNothingHeld, counts } from './trial-kill.ts';
import { say, type Verdict } from './verdict.ts';

const streams = 500;
const reloads = 100;
const everyMs = 200;
const counter = 'switchyard_config_reloads_total';

export async function reloadTrial(verdict: Verdict): Promise<void> {
  const engines = await startEngines(5);
  let router: SoakRouter | undefined;
  try {
    const [, ...always] = engines;
    router = await SoakRouter.start(fleetOf(always, { slots: 1_000 }));
    const before = await router.metrics();
    verdict.check(
      'this router can reload',
      before.knows(counter),
      before.knows(counter) ? '' : 'this router cannot reload',
    );
    if (!before.knows(counter)) return;
    const agent = new Agent({ keepAlive: true });
    const where = { port: router.port, agent };
    const running = callMany(where, { count: streams, name: 's', pieces: 120, firstMs: 0, gapMs: 200 });
    await setTimeout(1_000);
    const short: ReturnType<typeof callMany>[] = [];
    for (let n = 0; n < reloads; n++) {
      router.rewrite(edited(engines, n));
      router.process.signal('SIGHUP');
      short.push(callMany(where, { count: 2, name: `r${n}-`, pieces: 3, firstMs: 50, gapMs: 50 }));
      await reloaded(router, n + 1);
      await setTimeout(everyMs);
    }
    const after = await router.metrics();
    const outcomes = await running;
    const others = (await Promise.all(short)).flat();
    agent.destroy();
    const refused = after.sum(counter, 'result="refused"');
    const applied = after.sum(counter, 'result="applied"') - before.sum(counter, 'result="applied"');
    say(`${applied} reloads applied, ${refused} refused`);
    verdict.check('every edit was applied', applied >= reloads && refused === 0, `${applied} of ${reloads}`);
    verdict.check('every stream is whole, piece by piece', allEnd(outcomes, 'whole'), counts(outcomes));
    verdict.check('every request that came meanwhile is whole', allEnd(others, 'whole'), counts(others));
    await checkNothingHeld(router, verdict);
  } finally {
    await router?.kill();
    await Promise.all(engines.map((engine) => engine.kill()));
  }
}

/** By turns: another weight, one backend more, one less, and a drained one. No two in a row are the same. */
function edited(engines: readonly EngineProcess[], n: number): string {
  const [first, ...always] = engines;
  const listed = n % 4 < 2 || first === undefined ? engines : always;
  const file = fleetOf(listed, { slots: 1_000 });
  const wish = n % 2 === 0 ? `weight: ${1 + (n % 3)}` : 'state: draining';
  return file.replace(/name: e1,/, () => `name: e1, ${wish},`);
}

/** The signal is heard sooner or later, and one file may be read once for two of them. */
async function reloaded(router: SoakRouter, times: number): Promise<void> {
  for (let n = 0; n < 100; n++) {
    if ((await router.metrics()).sum(counter, 'result="applied"') >= times) return;
    await setTimeout(20);
  }
}
