// What a byte of a prompt costs: requests of a kilobyte and of a megabyte.
import type { Figures, LoadBench, Standing } from '../bench.ts';
import { plain } from '../measure.ts';
import { nginx, nodeRelay } from '../subjects/plain-proxies.ts';
import { switchyard } from '../subjects/switchyard.ts';

const [small, large] = [1_000, 1_000_000];

export const body: LoadBench = {
  name: 'body',
  about: 'plain requests of 1 KB and of 1 MB; 8 connections',
  columns: [
    { key: 'smallMicros', title: 'µs CPU, 1 KB' },
    { key: 'largeMicros', title: 'µs CPU, 1 MB', digits: 0 },
    { key: 'nanosPerByte', title: 'ns CPU per byte', digits: 3, toNginx: true },
    { key: 'failed', title: 'failed', digits: 0 },
  ],
  subjects: [nginx, nodeRelay, switchyard({ name: 'Switchyard' })],
  measure,
};

async function measure({ serving, seconds, dir }: Standing): Promise<Figures> {
  const of = async (bytes: number) => {
    await plain(serving, { seconds: 1, dir, bytes, connections: 8 });
    return plain(serving, { seconds, dir, bytes, connections: 8 });
  };
  const [atSmall, atLarge] = [await of(small), await of(large)];
  const [smallMicros, largeMicros] = [atSmall.cpuMicros ?? 0, atLarge.cpuMicros ?? 0];
  const nanosPerByte = ((largeMicros - smallMicros) * 1000) / (large - small);
  return { smallMicros, largeMicros, nanosPerByte, failed: atSmall.failed + atLarge.failed };
}
