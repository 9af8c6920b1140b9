// Three replicas behind a balancer that watches /readyz, restarted one after the other under load: nobody notices.
import { Agent } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../support/redis/free-port.ts';
import { Balancer } from './balancer.ts';
import { call, type Outcome } from './call.ts';
import { startEngines } from './engine-process.ts';
import { fleetOf } from './fleet.ts';
import { SoakRouter } from './router.ts';
import { allEnd, callMany, counts } from './trial-kill.ts';
import { say, type Verdict } from './verdict.ts';

const streams = 500;
const plainPerSecond = 100;

export async function rollingTrial(verdict: Verdict): Promise<void> {
  const engines = await startEngines(4);
  const fleet = fleetOf(engines, { slots: 1_000, drainDelay: '2s' });
  const ports = [await freePort(), await freePort(), await freePort()];
  const replicas = new Map<number, SoakRouter>();
  let balancer: Balancer | undefined;
  try {
    for (const port of ports) replicas.set(port, await SoakRouter.start(fleet, `127.0.0.1:${port}`));
    balancer = await Balancer.start(ports);
    // A connection for each request: on one that is kept, a request may cross the close, as HTTP/1.1 allows.
    const where = { port: balancer.port, agent: new Agent({ keepAlive: false }) };
    const running = callMany(where, { count: streams, name: 's', pieces: 50, firstMs: 0, gapMs: 200 });
    const short: Promise<Outcome>[] = [];
    const timer = setInterval(() => {
      const wish = { request: `p${short.length}`, pieces: 5, firstMs: 20, gapMs: 0 };
      short.push(call(where, { kind: 'plain', wish }));
    }, 1_000 / plainPerSecond);
    await setTimeout(1_000);
    const exits: (number | null)[] = [];
    for (const port of ports) {
      const old = replicas.get(port);
      old?.process.signal('SIGTERM');
      exits.push((await old?.process.ended)?.code ?? null);
      await old?.kill();
      replicas.set(port, await SoakRouter.start(fleet, `127.0.0.1:${port}`));
      while (balancer.ready < ports.length) await balancer.look();
    }
    const more = callMany(where, { count: 20, name: 'a', pieces: 5, firstMs: 0, gapMs: 10 });
    clearInterval(timer);
    const [outcomes, plain] = [[...(await running), ...(await more)], await Promise.all(short)];
    say(`${outcomes.length} streams and ${plain.length} plain requests while three replicas were restarted`);
    verdict.check(
      'every replica ended well',
      exits.every((code) => code === 0),
      `exit codes ${exits.join()}`,
    );
    verdict.check('no stream was cut', allEnd(outcomes, 'whole'), counts(outcomes));
    verdict.check('no request failed', allEnd(plain, 'whole'), counts(plain));
  } finally {
    balancer?.stop();
    await Promise.all([...replicas.values()].map((replica) => replica.kill()));
    await Promise.all(engines.map((engine) => engine.kill()));
  }
}
