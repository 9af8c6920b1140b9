// Rows that the router does not keep, as they should be. Not run.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { exchangeBytes, statusesOf } from '../../support/raw-http.ts';
import { root } from '../../support/router-process.ts';
import { fault as faultOf } from '../../support/scripted/behaviours.ts';
import { faultMatrix } from '../matrix.ts';

const { fault, engine: startEngine, file } = faultMatrix();

fault(
  {
    row: 11,
    when: '429 with a Retry-After of an hour, alone',
    expected: 'the 429 as sent, its Retry-After at most 60, which is how long the router itself keeps away',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{ imitates: 'tgi' }] });
    stand.engine(0).respond(faultOf('busy', { as: 'status', headers: { 'retry-after': '3600' } }));
    const seen = await stand.ask();
    on.saw(seen.status, { retryAfter: seen.headers.get('retry-after') });
    expect(seen.status).toBe(429);
    expect(Number(seen.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  },
);

fault(
  {
    row: 30,
    when: 'the name server fails for a moment',
    expected: 'the last good address is used: 200',
  },
  async (on) => {
    const box = await startEngine();
    const names = file('{"box.test":"127.0.0.1"}', 'names.json');
    const env = { NODE_OPTIONS: `--import ${join(root, 'test/faults/names.ts')}`, NAMES_OF_TEST: names };
    const others = [{ name: 'named', engine: 'vllm', url: `http://box.test:${box.port}` }];
    const stand = await on.stand({ env, behind: [box], engines: [], others });
    expect((await stand.ask()).status).toBe(200);
    writeFileSync(names, '{"box.test":"EAI_AGAIN"}');
    // Kept connections know no names.
    await box.refuse();
    await box.listen();
    const seen = await stand.ask();
    stand.unseenAttempts = 1;
    on.saw(seen.status, seen.errorType ?? '');
    expect(seen.status).toBe(200);
  },
);

fault(
  {
    row: 55,
    when: 'versions of HTTP that this port does not speak',
    expected: '400 or 505, nothing upstream',
  },
  async (on) => {
    const stand = await on.stand();
    const chat = '{"model":"test-model","messages":[]}';
    const head = `POST /v1/chat/completions HTTP/2.0\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${chat.length}`;
    const seen = [
      statusesOf(await exchangeBytes(stand.router.port, 'GET /v1/models\r\n\r\n')),
      statusesOf(await exchangeBytes(stand.router.port, `${head}\r\n\r\n${chat}`)),
    ];
    stand.sent += 2;
    on.saw({ seen, upstream: stand.posts.length });
    for (const [status = 0] of seen) expect([400, 505]).toContain(status);
    expect(stand.posts).toEqual([]);
  },
);

fault(
  {
    row: 79,
    when: 'the heap of a process of 256 MiB is at nine tenths, with the defaults',
    expected: 'new requests get 503 overloaded before V8 ends the process',
  },
  async (on) => {
    const hook = `--import ${join(root, 'test/faults/trouble-on-signal.ts')}`;
    // What V8 calls its limit has 192 MiB for young objects on top, so that 0.9 of it is beyond what there is: 0.53 of that is
    // 0.93 of the 256 MiB.
    const env = { NODE_OPTIONS: `--max-old-space-size=256 ${hook}`, TROUBLE: 'heap', HEAP: '0.53' };
    const stand = await on.stand({ env });
    stand.router.signal('SIGUSR2');
    await expect.poll(() => stand.router.stderr, { timeout: 5_000 }).toContain('"overload":"heap');
    on.saw('told');
  },
);
