// Good answers and faults of one engine, as bytes in its own framing, with the disturbances an Answer asks for.
import type { Answer, Fault } from './behaviours.ts';
import type { Json, Turn } from './dialect.ts';
import { breakOff, type Conversation, forever, sendReply, wait, wantsUsage, write, writeHead } from './perform.ts';
import { embeddingsBody, plainBody, streamEvents } from './shapes.ts';

export async function sendFault(on: Conversation, told: Fault): Promise<void> {
  const { dialect, context, entry } = on;
  const asEvent =
    told.as === 'event' || (told.as === 'engine' && entry.json['stream'] === true && dialect.inStream.has(told.fault));
  if (asEvent) return sendAnswer(on, { kind: 'answer', shape: 'stream', failAfter: { events: 0, fault: told.fault } });
  const { status, headers, body } = dialect.faults[told.fault](context);
  return sendReply(on, { status, headers: { ...headers, ...told.headers }, ...(body === undefined ? {} : { body }) });
}

export async function sendAnswer(on: Conversation, told: Answer): Promise<void> {
  const { dialect, signal, entry, response } = on;
  if (told.delayMs !== undefined) await wait(told.delayMs, signal);
  for (const status of told.interim ?? []) {
    if (status === 100) response.writeContinue();
    else response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
  }
  const streamed = told.shape === 'stream' || (told.shape !== 'plain' && entry.json['stream'] === true);
  const writes = streamed ? streamWrites(on, told) : [plainBytes(on, told)];
  const head = (): void => openBody(on, told, { streamed, bytes: writes.reduce((sum, { length }) => sum + length, 0) });
  const headAt = told.headAt ?? (streamed ? dialect.headAt : 'first-token');
  if (headAt === 'once') head();
  const stopComments = streamed ? comments(on, told) : undefined;
  try {
    const release = await on.slots.take(signal);
    try {
      if (headAt === 'slot') head();
      if (told.firstMs !== undefined) await wait(told.firstMs, signal);
      if (headAt === 'first-token') head();
      await sendBody(on, told, writes);
      on.count(turnOf(on, told).pieces.length);
    } finally {
      release();
    }
  } finally {
    stopComments?.();
  }
}

function openBody(on: Conversation, told: Answer, { streamed, bytes }: { streamed: boolean; bytes: number }): void {
  const transfer = told.transfer ?? (streamed ? 'chunked' : 'length');
  const headers: Record<string, string> = streamed
    ? { ...on.dialect.streamHeaders }
    : { 'content-type': on.dialect.jsonType };
  if (transfer === 'length') headers['content-length'] = String(bytes);
  if (transfer === 'close') {
    on.response.useChunkedEncodingByDefault = false;
    on.response.shouldKeepAlive = false;
  }
  writeHead(on, 200, { ...headers, ...told.headers });
}

async function sendBody(on: Conversation, told: Answer, writes: readonly Buffer[]): Promise<void> {
  const { cut, gapMs = 0, framing } = told;
  let pieces = cut?.of === 'events' ? writes.slice(0, cut.after) : writes;
  if (framing?.split !== undefined) pieces = sliced(Buffer.concat(pieces), framing.split);
  if (cut?.of === 'bytes') pieces = [Buffer.concat(pieces).subarray(0, cut.after)];
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await wait(gapMs, on.signal);
    await write(on, piece);
  }
  if (cut === undefined || cut.how === 'end') {
    on.response.end();
    return;
  }
  if (cut.how === 'stall') return forever(on.signal);
  // A turn of the loop lets the last bytes leave, so that a reset does not overtake them.
  await wait(0, on.signal);
  breakOff(on, cut.how);
}

function sliced(bytes: Buffer, split: number | readonly number[]): readonly Buffer[] {
  const places: number[] = [];
  if (typeof split === 'number') for (let at = split; at < bytes.length; at += split) places.push(at);
  else places.push(...split.filter((at) => at > 0 && at < bytes.length));
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

/** One piece of bytes for each event. */
function streamWrites(on: Conversation, told: Answer): readonly Buffer[] {
  const lineEnd = told.framing?.lineEnd ?? '\n';
  const before = told.commentBetween === true ? `:${lineEnd}${lineEnd}` : '';
  const events = eventsOf(on, told).map((data) => Buffer.from(`${before}data: ${data}${lineEnd}${lineEnd}`));
  const [first] = events;
  if (told.framing?.byteOrderMark === true && first !== undefined)
    events[0] = Buffer.concat([Buffer.from('\uFEFF'), first]);
  return events;
}

function eventsOf(on: Conversation, told: Answer): readonly string[] {
  const { dialect } = on;
  const whole = streamEvents(dialect.style, turnOf(on, told)).map((event) => JSON.stringify(event));
  const { failAfter } = told;
  if (failAfter === undefined) return [...whole, '[DONE]'];
  const { fault } = failAfter;
  const error: Json = typeof fault === 'string' ? dialect.errorEvent(fault, on.context) : fault;
  const done = failAfter.done ?? dialect.doneAfterError;
  return [...whole.slice(0, failAfter.events), JSON.stringify(error), ...(done ? ['[DONE]'] : [])];
}

function plainBytes(on: Conversation, told: Answer): Buffer {
  const { dialect, entry, context, world } = on;
  const body = entry.path.endsWith('/embeddings')
    ? embeddingsBody(told.model ?? dialect.echo(context.model, world), entry.json)
    : plainBody(dialect.style, turnOf(on, told));
  return Buffer.from(JSON.stringify(body));
}

function turnOf(on: Conversation, told: Answer): Turn {
  const { entry, dialect, context, world } = on;
  const requestId = entry.headers['x-request-id'];
  const usage = told.usage ?? 'asked';
  // The caller's bound counts unless a test says how long the answer is.
  const shortened = told.pieces === undefined && told.count === undefined && inRange(context.maxTokens);
  const count = told.tool !== undefined ? 0 : shortened ? context.maxTokens : (told.count ?? usualCount);
  const pieces = told.pieces ?? Array.from({ length: count }, (_, index) => `t${index + 1} `);
  return {
    endpoint: entry.path.endsWith('/chat/completions') ? 'chat' : 'completions',
    n: entry.n,
    requestId: dialect.name === 'vllm' && typeof requestId === 'string' ? `chatcmpl-${requestId}` : undefined,
    model: told.model ?? dialect.echo(context.model, world),
    pieces,
    tool: told.tool,
    finish: told.finishReason ?? (told.tool !== undefined ? 'tool_calls' : shortened ? 'length' : 'stop'),
    includeUsage: usage === 'always' || (usage === 'asked' && wantsUsage(on)),
    promptTokens: told.promptTokens ?? context.promptTokens,
  };
}

const usualCount = 3;

function inRange(maxTokens: number): boolean {
  return maxTokens > 0 && maxTokens < usualCount;
}

/** Comment lines while the stream is open; only between whole events. Returns what ends them. */
function comments(on: Conversation, told: Answer): (() => void) | undefined {
  const everyMs = told.commentEveryMs ?? (told.framing?.split === undefined ? (on.dialect.commentEveryMs ?? 0) : 0);
  if (everyMs === 0) return undefined;
  const timer = setInterval(() => {
    if (on.response.headersSent && !on.response.writableEnded) on.response.write(':\n\n');
  }, everyMs);
  return () => clearInterval(timer);
}
