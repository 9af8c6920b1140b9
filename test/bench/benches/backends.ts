// What a large fleet costs each request: one backend, and a thousand that all serve the model and are looked at all the time.
import { setTimeout } from 'node:timers/promises';
import type { Figures, LoadBench, Standing } from '../bench.ts';
import { cpuOf, plain } from '../measure.ts';
import { switchyard } from '../subjects/switchyard.ts';

export const backendsBench: LoadBench = {
  name: 'backends',
  about:
    'plain requests with one backend and with a thousand; the probes of those cost something too, whatever the load',
  columns: [
    { key: 'cpuMicros', title: 'µs CPU per request' },
    { key: 'netMicros', title: 'without probes' },
    { key: 'probing', title: 'probes, ms CPU per s' },
    { key: 'failed', title: 'failed', digits: 0 },
  ],
  subjects: [1, 1_000].map((backends) => switchyard({ name: nameOf(backends), backends })),
  engine: { rate: 50, events: 1_500, hosts: 1_000 },
  measure,
};

export function nameOf(backends: number): string {
  return `${backends} backend${backends === 1 ? '' : 's'}`;
}

async function measure({ serving, seconds, dir }: Standing): Promise<Figures> {
  await plain(serving, { seconds, dir });
  const before = cpuOf(serving) ?? 0;
  await setTimeout(seconds * 1000);
  const idlePerSecond = ((cpuOf(serving) ?? 0) - before) / seconds;
  const { cpuMicros, perSecond, failed } = await plain(serving, { seconds, dir });
  const netMicros = cpuMicros === undefined ? undefined : cpuMicros - (idlePerSecond * 1e6) / perSecond;
  return { cpuMicros, netMicros, probing: idlePerSecond * 1000, failed };
}
