// Memory of streams that are open, and whether any loses an event.
import { plain, streams } from '../measure.ts';
import type { Figures, LoadBench, Standing } from '../bench.ts';
import { residentBytes } from '../accounts.ts';
import { descriptors } from '../processes.ts';
import { nginx } from '../subjects/plain-proxies.ts';
import { switchyard } from '../subjects/switchyard.ts';

/** Each takes two descriptors of a proxy; some are for files and kept connections. */
const most = Math.min(10_000, Math.floor((descriptors - 1_000) / 2));

export const openStreams: LoadBench = {
  name: 'open-streams',
  about: `${most} streams at once, an event a second each${most < 10_000 ? ` (10,000 need more descriptors than the ${descriptors} a process gets here)` : ''}`,
  columns: [
    { key: 'streams', title: 'streams', digits: 0 },
    { key: 'kibibytes', title: 'KiB RSS each' },
    { key: 'grossKibibytes', title: 'with the process itself' },
    { key: 'cpuMicros', title: 'µs CPU per event' },
    { key: 'gapP99', title: 'gap p99 ms', digits: 0 },
    { key: 'lost', title: 'lost or wrong', digits: 0 },
  ],
  subjects: [nginx, switchyard({ name: 'Switchyard', openFiles: 'off' })],
  engine: { rate: 1, events: 100_000, hosts: 1 },
  measure,
};

async function measure({ serving, seconds, dir }: Standing): Promise<Figures> {
  await plain(serving, { seconds: 1, dir });
  const before = serving.process === undefined ? 0 : residentBytes(serving.process.pid);
  const {
    open,
    wrong,
    cpuMicros,
    gap,
    residentBytes: after = 0,
  } = await streams(serving, {
    streams: most,
    seconds: Math.max(3, seconds),
    warmup: 20,
  });
  return {
    streams: open,
    kibibytes: (after - before) / most / 1024,
    grossKibibytes: after / most / 1024,
    cpuMicros,
    gapP99: gap.p99,
    lost: wrong + most - open,
  };
}
