// A caller that is still there and takes nothing any more, at its real time of half a minute to a minute.
import { connect } from 'node:net';
import { once } from 'node:events';
import { expect } from 'vitest';
import { endless } from '../support/scripted/behaviours.ts';
import { streamOver } from '../system/caller.ts';
import { faultMatrix } from './matrix.ts';
import { requestLines } from './readings.ts';

const { fault } = faultMatrix();

fault(
  {
    row: 42,
    when: 'a caller stops reading in mid-stream',
    expected:
      'the backend is not read either, and hung up on within about a minute; outcome client_closed, B0; memory flat',
    timeoutMs: 150_000,
  },
  async (on) => {
    const timeouts = { gap: '10s', total: '300s' };
    const stand = await on.stand({ engines: [{}, {}], circuit: { consecutive: 1, open_for: '60s' }, timeouts });
    for (const engine of stand.engines) engine.respond(endless('events'));
    const caller = connect(stand.router.port, '127.0.0.1');
    caller.on('error', () => {});
    await once(caller, 'connect');
    const memory = async () => (await stand.metrics()).total('process_resident_memory_bytes') / 2 ** 20;
    const beforeMiB = await memory();
    caller.pause();
    caller.write(streamOver());
    stand.sent += 1;
    const startedMs = performance.now();
    try {
      await Promise.race(stand.engines.map((engine) => engine.when(({ abortsSeen }) => abortsSeen === 1)));
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      expect(seconds).toBeGreaterThan(10);
      expect(seconds).toBeLessThan(70);
      await expect.poll(() => requestLines(stand.router).map(({ outcome }) => outcome)).toEqual(['client_closed']);
      expect((await stand.metrics()).total('switchyard_circuit_transitions_total')).toBe(0);
      const grownMiB = Math.round((await memory()) - beforeMiB);
      expect(grownMiB).toBeLessThan(60);
      on.saw({ seconds, grownMiB }, 'client_closed', 'no circuit changed');
    } finally {
      caller.destroy();
    }
  },
);
