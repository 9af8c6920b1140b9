// What a second worker brings. Load and engine need cores of their own for that to be seen; where there are fewer than four, the
// ratio is that of what two cores could do by the CPU each request takes.
import { availableParallelism } from 'node:os';
import type { LoadBench } from '../bench.ts';
import { plain } from '../measure.ts';
import { switchyard } from '../subjects/switchyard.ts';

export const workersBench: LoadBench = {
  name: 'workers',
  about: `plain requests to one worker and to two${availableParallelism() < 4 ? '; load and engine share their cores here' : ''}`,
  columns: [
    { key: 'perSecond', title: 'requests/s', digits: 0 },
    { key: 'cpuMicros', title: 'µs CPU per request' },
    { key: 'couldPerSecond', title: 'requests/s were the cores all its own', digits: 0 },
    { key: 'failed', title: 'failed', digits: 0 },
  ],
  subjects: [1, 2].map((workers) => switchyard({ name: nameOf(workers), workers })),
  unpinned: true,
  async measure({ subject, serving, seconds, dir }) {
    await plain(serving, { seconds, dir });
    const { cpuMicros, perSecond, failed } = await plain(serving, { seconds, dir });
    const workers = subject.name === nameOf(2) ? 2 : 1;
    const couldPerSecond = cpuMicros === undefined ? undefined : (workers * 1e6) / cpuMicros;
    return { perSecond, cpuMicros, couldPerSecond, failed };
  },
};

export function nameOf(workers: number): string {
  return `${workers} worker${workers === 1 ? '' : 's'}`;
}
