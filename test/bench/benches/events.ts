// CPU of an event of a stream, and how evenly events come.
import type { LoadBench } from '../bench.ts';
import { streams } from '../measure.ts';

export const events: LoadBench = {
  name: 'events',
  about: '500 streams at once, 50 events a second each; every event checked',
  columns: [
    { key: 'cpuMicros', title: 'µs CPU per event', toNginx: true },
    { key: 'perSecond', title: 'events/s', digits: 0 },
    { key: 'ttftP50', title: 'first event p50 ms' },
    { key: 'ttftP99', title: 'p99' },
    { key: 'gapP50', title: 'gap p50 ms' },
    { key: 'gapP99', title: 'p99' },
    { key: 'wrong', title: 'lost or wrong', digits: 0 },
  ],
  async measure({ serving, seconds }) {
    const measured = await streams(serving, { seconds, streams: 500, warmup: 2 });
    const { cpuMicros, perSecond, ttft, gap, wrong } = measured;
    return { cpuMicros, perSecond, ttftP50: ttft.p50, ttftP99: ttft.p99, gapP50: gap.p50, gapP99: gap.p99, wrong };
  },
};
