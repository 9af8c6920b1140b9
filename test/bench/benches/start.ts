// How long after its start a router of a hundred backends answers its first request.
import type { LoadBench } from '../bench.ts';
import { residentBytes } from '../accounts.ts';
import { cpuOf } from '../measure.ts';
import { main, switchyard } from '../subjects/switchyard.ts';

export const start: LoadBench = {
  name: 'start',
  about: 'from the start of the process to its first answer; 100 backends, asked for their models first',
  columns: [
    { key: 'readyMs', title: 'ms', digits: 0 },
    { key: 'cpuMs', title: 'ms CPU', digits: 0 },
    { key: 'mebibytes', title: 'MiB RSS', digits: 0 },
  ],
  subjects: [
    switchyard({ name: main, backends: 100, built: true }),
    switchyard({ name: `${main}, from its sources`, backends: 100 }),
  ],
  engine: { rate: 50, events: 1_500, hosts: 100 },
  unpinned: true,
  measure: ({ serving, readyMs }) =>
    Promise.resolve({
      readyMs,
      cpuMs: (cpuOf(serving) ?? 0) * 1000,
      mebibytes: serving.process === undefined ? undefined : residentBytes(serving.process.pid) / 2 ** 20,
    }),
};
