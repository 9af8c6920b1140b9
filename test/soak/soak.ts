// The soak: one router, four engines, mixed load, and a fault at a time in rotation.
import { setTimeout } from 'node:timers/promises';
import { seededRandom } from '../support/seeded-random.ts';
import { type EngineProcess, startEngines } from './engine-process.ts';
import { type FaultKind, faultKinds, FaultLog } from './faults.ts';
import { fleetOf } from './fleet.ts';
import { addedLatency } from './latency.ts';
import { Load } from './load.ts';
import { judge, mebibytes, type Run } from './judge.ts';
import { SoakRouter, type Vitals } from './router.ts';
import { say, type Verdict } from './verdict.ts';

const slots = 12;
const mostMsBetweenFaults = 30_000;
const fewestFaults = 9;
/** Longer than any time limit: who suffers from one fault must find nobody else at fault. */
const apartMs = 4_500;

export async function soak(
  { minutes, seed }: { readonly minutes: number; readonly seed: number },
  verdict: Verdict,
): Promise<void> {
  say(`soak of ${minutes} min, seed ${seed}`);
  const engines = await startEngines(4);
  let router: SoakRouter | undefined;
  try {
    router = await SoakRouter.start(fleetOf(engines, { slots }));
    await judge(await run(router, engines, { minutes, seed }), verdict);
  } finally {
    await router?.kill();
    await Promise.all(engines.map((engine) => engine.kill()));
  }
}

async function run(
  router: SoakRouter,
  engines: readonly EngineProcess[],
  { minutes, seed }: { readonly minutes: number; readonly seed: number },
): Promise<Run> {
  const load = new Load(router.port, seededRandom(seed));
  const faults = new FaultLog();
  const kinds = await kindsFor(router, engines);
  const rounds = Math.max(fewestFaults, Math.ceil((minutes * 60_000) / mostMsBetweenFaults));
  const roundMs = (minutes * 60_000) / rounds;
  const faultMs = Math.min(8_000, roundMs - apartMs);
  let before: Vitals | undefined;
  let measured = 0;
  load.start();
  for (let round = 0; round < rounds; round++) {
    const [kind, engine] = [kinds[round % kinds.length], engines[round % engines.length]];
    if (kind === undefined || engine === undefined) break;
    await setTimeout((roundMs - faultMs) / 2);
    await faults.inject(kind, engine, faultMs);
    await setTimeout((roundMs - faultMs) / 2);
    const { heapBytes, descriptors, held } = await router.vitals();
    const counts = `${load.ended} of ${load.sent} requests ended, ${load.failures.length} not well`;
    say(`${kind.name.padEnd(26)} ${engine.name}  ${mebibytes(heapBytes)}, ${descriptors} fds, ${held} held; ${counts}`);
    if (before === undefined && round + 1 >= rounds / 10) {
      await load.stop();
      before = await quietVitals(router);
      measured = await addedLatency(engines, router);
      load.start();
    }
  }
  await load.stop();
  const after = await quietVitals(router);
  return { load, faults, router, before: before ?? after, after, measured };
}

/** Editing the fleet file is one of the faults where the router can do it. */
async function kindsFor(router: SoakRouter, engines: readonly EngineProcess[]): Promise<readonly FaultKind[]> {
  if (!(await router.metrics()).knows('switchyard_config_reloads_total')) {
    say('this router cannot reload its fleet file, so that is no part of the run');
    return faultKinds;
  }
  const reload = (weight: (engine: EngineProcess) => number) => {
    router.rewrite(
      fleetOf(engines, { slots }).replaceAll(/name: (\w+),/g, (whole, name) => {
        const engine = engines.find((one) => one.name === name);
        return engine === undefined ? whole : `name: ${name}, weight: ${weight(engine)},`;
      }),
    );
    router.process.signal('SIGHUP');
  };
  return [
    ...faultKinds,
    {
      name: 'gets another weight',
      breaks: false,
      begin: (engine) => reload((one) => (one === engine ? 3 : 1)),
      end: () => reload(() => 1),
    },
  ];
}

/** When all circuits have closed and idle connections are gone on both sides, which takes seconds. */
async function quietVitals(router: SoakRouter): Promise<Vitals> {
  await setTimeout(6_000);
  for (let n = 0; n < 100; n++) {
    const metrics = await router.metrics();
    if (metrics.sum('switchyard_circuit_state', 'state="closed"') === metrics.sum('switchyard_circuit_state')) break;
    await setTimeout(100);
  }
  return router.vitals();
}
