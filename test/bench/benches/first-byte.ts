// What a proxy adds to the time to the first byte: the same pace to the engine itself and through the proxy, one right after the
// other. The pace is half of what Switchyard can do, or half of what this one can where that is less.
import type { Figures, LoadBench, Standing } from '../bench.ts';
import { paced, plain } from '../measure.ts';
import { chatPath } from '../subject.ts';
import { main } from '../subjects/switchyard.ts';

/** More than this load and engine, on a core of their own together, do not send and answer on time. */
const mostPerSecond = 1_500;
const leastPerSecond = 10;

export const firstByte: LoadBench = {
  name: 'first-byte',
  about: `plain requests at half of Switchyard's load (of its own where that is less, and at most ${mostPerSecond} a second), on time whatever the answers do`,
  columns: [
    { key: 'rate', title: 'requests/s', digits: 0 },
    { key: 'addedP50', title: 'added p50 ms', digits: 3 },
    { key: 'addedP99', title: 'added p99 ms', digits: 3 },
    { key: 'p50', title: 'p50 ms', digits: 3 },
    { key: 'p99', title: 'p99', digits: 3 },
    { key: 'directP50', title: 'direct p50 ms', digits: 3 },
    { key: 'directP99', title: 'p99', digits: 3 },
    { key: 'failed', title: 'failed', digits: 0 },
  ],
  measure,
};

async function measure(standing: Standing): Promise<Figures> {
  const { subject, serving, engine, seconds, dir, results } = standing;
  if (serving.process === undefined) return {};
  const known = results.rounds('plain', subject.name).at(-1)?.['perSecond'];
  const own = known ?? (await plain(serving, { seconds: Math.max(2, seconds), dir })).perSecond;
  const ofSwitchyard = subject.name === main ? own : results.median('plain', main, 'perSecond');
  const rate = Math.round(Math.min(own, ofSwitchyard ?? mostPerSecond * 2, mostPerSecond * 2) / 2);
  if (rate < leastPerSecond) throw new Error(`it answers ${own.toFixed(1)} requests a second: too few to time`);
  const [url = ''] = engine.urls;
  const direct = await paced({ url: url + chatPath, headers: {} }, { seconds, rate });
  const { p50, p99, failed } = await paced(serving, { seconds, rate });
  return {
    rate,
    addedP50: p50 - direct.p50,
    addedP99: p99 - direct.p99,
    p50,
    p99,
    directP50: direct.p50,
    directP99: direct.p99,
    failed: failed + direct.failed,
  };
}
