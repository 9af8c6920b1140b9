// Backends whose certificate or name is no good: rows 29 and 30 of the matrix. Both begin well, because a backend that
// never was is not asked at all.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from '../support/router-process.ts';
import { faultMatrix } from './matrix.ts';
import { startTlsFront } from './tls-front.ts';
import { hasty, type Stand } from './stand.ts';

const { fault, engine: startEngine, file } = faultMatrix();

async function opened(stand: Stand): Promise<Readonly<Record<string, number>>> {
  return (await stand.metrics()).by('switchyard_circuit_transitions_total', 'backend', { to: 'open' });
}

for (const [what, status, type] of [
  ['expired', 502, 'backend_unreachable'],
  ['of another host', 502, 'backend_unreachable'],
  ['stalled', 504, 'backend_timeout'],
] as const) {
  const told = `${status} ${type}`;
  fault(
    {
      row: 29,
      when: what === 'stalled' ? 'the TLS handshake stalls' : `the certificate is ${what}`,
      expected: `another's 200, B+1; alone: ${told}${what === 'stalled' ? ' (the table: no connection in time)' : ''}; no certificate data in the message`,
    },
    async (on) => {
      const behind = await startEngine();
      const front = await startTlsFront(behind.port);
      try {
        const wishes = { env: { NODE_EXTRA_CA_CERTS: front.caFile }, behind: [behind], timeouts: hasty };
        const entry = { name: 'tls', engine: 'vllm', url: front.url };
        const circuit = { consecutive: 1, open_for: '60s' };
        const stand = await on.stand({ ...wishes, circuit, others: [{ ...entry, weight: 1000 }] });
        const alone = await on.stand({ ...wishes, engines: [], others: [entry] });
        const well = [await stand.ask(), await alone.ask()].map(({ status }) => status);
        expect(well).toEqual([200, 200]);
        expect(behind.posts).toHaveLength(2);
        await front.become(what);
        const other = await stand.ask();
        expect([other.status, other.headers.get('x-switchyard-backend')]).toEqual([200, 'a']);
        expect(await opened(stand)).toEqual({ tls: 1 });
        const none = await alone.ask();
        expect([none.status, none.errorType]).toEqual([status, type]);
        expect(none.text).not.toMatch(/elsewhere|example|test CA|localhost|BEGIN/);
        await front.become('good');
        expect((await alone.ask()).status).toBe(200);
        stand.unseenAttempts = 1;
        alone.unseenAttempts = 1;
        on.saw(other.status, 'circuit of tls open', { alone: none.status }, none.text, 'good again: 200');
      } finally {
        await front.close();
      }
    },
  );
}

fault(
  {
    row: 30,
    when: 'a name does not exist any more, then its server fails, then it has moved to another address',
    expected: 'the last good address serves: 200, B0; then the new address is used',
  },
  async (on) => {
    const here = await startEngine();
    const there = await startEngine({ host: '127.0.0.2', port: here.port });
    const names = file('{"box.test":"127.0.0.1"}', 'names.json');
    const becomes = async (address: string) => {
      writeFileSync(names, JSON.stringify({ 'box.test': address }));
      // Kept connections know no names.
      for (const engine of [here, there]) await engine.refuse();
      for (const engine of [here, there]) await engine.listen();
    };
    const env = { NODE_OPTIONS: `--import ${join(root, 'test/faults/names.ts')}`, NAMES_OF_TEST: names };
    const behind = [here, there];
    const entry = { name: 'named', engine: 'vllm', url: `http://box.test:${here.port}` };
    const circuit = { consecutive: 1, open_for: '60s' };
    const stand = await on.stand({ env, behind, circuit, engines: [], others: [entry] });
    expect((await stand.ask()).status).toBe(200);
    for (const failure of ['ENOTFOUND', 'EAI_AGAIN']) {
      await becomes(failure);
      const seen = await stand.ask();
      expect(seen.status).toBe(200);
      on.saw(failure, seen.status);
    }
    expect(await opened(stand)).toEqual({});
    expect(there.posts).toEqual([]);
    await becomes('127.0.0.2');
    expect((await stand.ask()).status).toBe(200);
    expect([here.posts.length, there.posts.length]).toEqual([3, 1]);
    on.saw('moved: 200 from the new address');
  },
);

fault(
  { row: 30, when: 'a name that never existed', expected: "the router starts; another's 200; alone: 503 no_backend" },
  async (on) => {
    const entry = { name: 'gone', engine: 'vllm', url: 'http://gone.invalid:8000', models: ['test-model'] };
    const stand = await on.stand({ others: [{ ...entry, weight: 1000 }] });
    const alone = await on.stand({ engines: [], others: [entry] });
    const [other, none] = [await stand.ask(), await alone.ask()];
    expect(other.status).toBe(200);
    expect([none.status, none.errorType]).toEqual([503, 'no_backend']);
    expect(Number(none.headers.get('retry-after'))).toBeGreaterThan(0);
    // In doubt it is tried.
    alone.unseenAttempts = 1;
    on.saw(other.status, { alone: none.status });
  },
);
