// What the router allocates for a plain request and for an event of a stream: one request at a time, one event at a time, so that
// neither the machine nor its compilers decide what comes out.
import { chatBody } from '../load/content.ts';
import { Line } from './line.ts';
import { LockstepEngine } from './lockstep-engine.ts';
import type { Mark } from './probe.ts';
import { key, type Router, startRouter } from './router.ts';

/** Bytes for each. */
export interface Allocations {
  readonly plainHeap: number;
  readonly plainBuffers: number;
  readonly eventHeap: number;
  readonly eventBuffers: number;
}

type Counted = Pick<Mark, 'heapBytes' | 'bufferBytes'>;

const [warmup, count] = [400, 600];

/** @throws Error when an answer is not as it should be, or takes too long. */
export async function measureAllocations(): Promise<Allocations> {
  const engine = new LockstepEngine();
  try {
    const router = await startRouter(await engine.listen());
    try {
      const plain = await plainRequests(router);
      const events = await streamedEvents(router, engine);
      return {
        plainHeap: plain.heapBytes,
        plainBuffers: plain.bufferBytes,
        eventHeap: events.heapBytes,
        eventBuffers: events.bufferBytes,
      };
    } finally {
      await router.stop();
    }
  } finally {
    engine.close();
  }
}

async function plainRequests(router: Router): Promise<Counted> {
  const line = await Line.open(router.port);
  const one = () => line.exchange(request({}), (text) => text.endsWith('}}'));
  for (let n = 0; n < warmup; n++) await one();
  const found = await counted(router, one);
  line.close();
  return found;
}

async function streamedEvents(router: Router, engine: LockstepEngine): Promise<Counted> {
  const line = await Line.open(router.port);
  const isEvent = (text: string) => text.includes('"content":"#') && text.endsWith('\n\n\r\n');
  await line.exchange(request({ stream: true }), isEvent);
  const next = () => {
    const came = line.until(isEvent);
    engine.say();
    return came;
  };
  for (let n = 0; n < warmup; n++) await next();
  const found = await counted(router, next);
  engine.endStream();
  line.close();
  return found;
}

async function counted(router: Router, one: () => Promise<void>): Promise<Counted> {
  const before = await router.mark('begin');
  for (let n = 0; n < count; n++) await one();
  const after = await router.mark('end');
  if (after.collections > 0) throw new Error(`${after.collections} collections: nothing can be said`);
  return {
    heapBytes: (after.heapBytes - before.heapBytes) / count,
    bufferBytes: (after.bufferBytes - before.bufferBytes) / count,
  };
}

function request(wishes: { readonly stream?: true }): string {
  const body = chatBody({ bytes: 600, ...wishes });
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: bench', `authorization: Bearer ${key}`];
  return `${[...head, 'content-type: application/json', `content-length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}
