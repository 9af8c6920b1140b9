// CPU of a request that is answered at once and in one piece, under as much load as 64 connections make.
import type { LoadBench } from '../bench.ts';
import { plain } from '../measure.ts';

export const plainBench: LoadBench = {
  name: 'plain',
  about: 'chat requests of 600 bytes, answered at once; 64 connections, each with one at a time (wrk)',
  columns: [
    { key: 'cpuMicros', title: 'µs CPU per request', toNginx: true },
    { key: 'perSecond', title: 'requests/s', digits: 0 },
    { key: 'failed', title: 'failed', digits: 0 },
  ],
  async measure({ serving, seconds, dir }) {
    // A router runs for weeks, and V8 has compiled what matters after some 30,000 requests.
    await plain(serving, { seconds: seconds < 4 ? 4 : 8, dir });
    const { cpuMicros, perSecond, failed } = await plain(serving, { seconds, dir });
    return { cpuMicros, perSecond, failed };
  },
};
