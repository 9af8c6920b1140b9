import { propagation, trace as api } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attributesOf, type Collector, startCollector, type TakenSpan } from '../support/collector.ts';
import { type RouterWishes, type RunningRouter, startRouter } from '../support/running-router.ts';
import { answer, diesAfter, drip, fault } from '../support/scripted/behaviours.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callersSpan = 'b7ad6b7169203331';
const sampled = { traceparent: `00-${traceId}-${callersSpan}-01`, tracestate: 'vendor=1' };

let collector: Collector;
let router: RunningRouter | undefined;

beforeEach(async () => {
  collector = await startCollector();
});

afterEach(async () => {
  await router?.stop();
  router = undefined;
  await collector.close();
});

async function start(wishes: RouterWishes = {}, sampleRatio = 1): Promise<RunningRouter> {
  router = await startRouter({ tracing: { url: `${collector.url}/v1/traces`, sampleRatio }, ...wishes });
  return router;
}

/** A router that stops sends what it holds. */
async function spansAfterStop(): Promise<readonly TakenSpan[]> {
  await router?.stop();
  router = undefined;
  return collector.spans;
}

function named(spans: readonly TakenSpan[], name: string): TakenSpan {
  const found = spans.filter((span) => span.name === name);
  expect(found, `spans named ${name}`).toHaveLength(1);
  const [one] = found;
  if (one === undefined) throw new Error('there is none');
  return one;
}

const server = 'POST /v1/chat/completions';
const attempt = 'chat test-model';

describe('a request that is traced', () => {
  it('is one span from the caller to the last token, with one for its attempt, in the trace of the caller', async () => {
    const { chat, engine } = await start();
    const response = await chat({ stream: true, stream_options: { include_usage: true } }, { headers: sampled });
    const requestId = response.headers.get('x-request-id');
    await response.text();
    const spans = await spansAfterStop();
    const [whole, one] = [named(spans, server), named(spans, attempt)];
    expect(whole).toMatchObject({ traceId, parentSpanId: callersSpan, kind: 2 });
    expect(one).toMatchObject({ traceId, parentSpanId: whole.spanId, kind: 3 });
    expect(attributesOf(whole)).toMatchObject({
      'http.response.status_code': 200,
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'test-model',
      'gen_ai.usage.output_tokens': 3,
      'switchyard.backend': 'b0',
      'switchyard.attempts': 1,
      'switchyard.request_id': requestId,
    });
    expect(attributesOf(one)).toMatchObject({ 'server.address': '127.0.0.1', 'switchyard.backend': 'b0' });
    expect(one.events.map(({ name }) => name)).toEqual(['connected', 'first token']);
    expect(BigInt(whole.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(one.endTimeUnixNano));
    expect(engine.posts[0]?.headers).toMatchObject({
      traceparent: `00-${traceId}-${one.spanId}-01`,
      tracestate: 'vendor=1',
    });
  });

  it('shows every attempt of a failover, and which one has failed', async () => {
    const { chat, engines } = await start({
      engines: [{ imitates: 'vllm', backend: { weight: 1_000 } }, { imitates: 'vllm' }],
    });
    engines[0]?.respond(fault('internal'));
    expect((await chat()).status).toBe(200);
    const spans = await spansAfterStop();
    const attempts = spans.filter(({ name }) => name === attempt).map(attributesOf);
    const shown = attempts.map((one) => [one['switchyard.attempt'], one['switchyard.backend'], one['error.type']]);
    expect(shown).toEqual([
      [1, 'b0', 'backend_error'],
      [2, 'b1', undefined],
    ]);
    expect(named(spans, server).status.code ?? 0).toBe(0);
  });

  it('shows how long it has waited for a slot', async () => {
    const { chat, engine } = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 5 },
    });
    engine.respond([drip(1), answer()]);
    const first = await chat({ stream: true });
    const second = chat();
    await Promise.all([first.text(), second.then((response) => response.text())]);
    const spans = await spansAfterStop();
    const wait = named(spans, 'wait for a slot');
    expect(spans.filter(({ name }) => name === server).map(({ spanId }) => spanId)).toContain(wait.parentSpanId);
    expect(BigInt(wait.endTimeUnixNano)).toBeGreaterThan(BigInt(wait.startTimeUnixNano));
  });

  it('ends with the stream that breaks, and says so', async () => {
    const { chat, engine } = await start();
    engine.respond(diesAfter(2));
    await (await chat({ stream: true })).text().catch(() => {});
    const spans = await spansAfterStop();
    for (const span of [named(spans, server), named(spans, attempt)]) {
      expect(attributesOf(span)['error.type']).toBe('backend_broken');
      expect(span.status.code).toBe(2);
    }
  });

  it('that is at fault itself is no error of the router, and its model is not repeated', async () => {
    const { chat } = await start();
    expect((await chat({ model: 'sk-not-a-model' })).status).toBe(404);
    const whole = named(await spansAfterStop(), server);
    expect(whole.status.code ?? 0).toBe(0);
    expect(attributesOf(whole)).toMatchObject({ 'error.type': 'model_not_found', 'http.response.status_code': 404 });
    expect(collector.text()).not.toContain('sk-not-a-model');
  });

  it('whose body is no good is followed to its end, too', async () => {
    const { post } = await start();
    expect((await post('/v1/chat/completions', '{')).status).toBe(400);
    expect(attributesOf(named(await spansAfterStop(), server))).toMatchObject({ 'error.type': 'invalid_request' });
  });

  it('tells nothing of what was asked or answered, and no key', async () => {
    const { chat } = await start();
    const messages = [{ role: 'user', content: 'my-secret-prompt' }];
    await (await chat({ messages }, { headers: { authorization: 'Bearer my-secret-key' } })).text();
    expect(await spansAfterStop()).toHaveLength(2);
    expect(collector.text()).not.toMatch(/my-secret|t1 t2/);
  });

  it('has its trace in the log', async () => {
    const { chat, log } = await start();
    await (await chat({}, { headers: sampled })).text();
    await vi.waitFor(() => expect(log.find((line) => line.msg === 'request')).toMatchObject({ trace_id: traceId }));
  });
});

describe('which requests are followed', () => {
  it('is for the caller to say, where it says anything', async () => {
    const { chat, engine } = await start({}, 0);
    await (await chat()).text();
    await (await chat({}, { headers: sampled })).text();
    const unsampled = { traceparent: `00-${traceId}-${callersSpan}-00` };
    await (await chat({}, { headers: unsampled })).text();
    expect(await spansAfterStop()).toHaveLength(2);
    // Whoever is not followed is still known to the backend by the same trace.
    expect(engine.posts[2]?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  });

  it('is none without a collector, and what the caller says passes as it is', async () => {
    router = await startRouter();
    const { chat, engine } = router;
    await (await chat({}, { headers: sampled })).text();
    expect(engine.posts[0]?.headers).toMatchObject(sampled);
    expect(await spansAfterStop()).toEqual([]);
  });
});

describe('whatever was loaded in front of the router', () => {
  it('follows its requests, with nothing said in the fleet file', async () => {
    const exporter = new InMemorySpanExporter();
    api.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    try {
      router = await startRouter();
      const { chat, engine } = router;
      await (await chat({}, { headers: sampled })).text();
      await vi.waitFor(() =>
        expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['start', attempt, server]),
      );
      expect(engine.posts[0]?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-`));
      expect(engine.posts[0]?.headers['traceparent']).not.toContain(callersSpan);
    } finally {
      api.disable();
      propagation.disable();
    }
  });
});

describe('a collector that', () => {
  it('refuses costs requests nothing, and is complained about', async () => {
    await collector.close();
    collector = await startCollector(400);
    const { chat, log } = await start();
    expect((await chat()).status).toBe(200);
    await spansAfterStop();
    expect(log.map((line) => line.msg)).toContain('the collector of traces has not taken them (tracing.otlp)');
  });

  it('refuses again and again is complained about once', async () => {
    await collector.close();
    collector = await startCollector(400);
    const { chat, log } = await start();
    // More than one batch holds.
    for (let n = 0; n < 15; n++) await Promise.all(Array.from({ length: 20 }, () => chat()));
    await spansAfterStop();
    expect(log.filter(({ msg }) => String(msg).startsWith('the collector'))).toHaveLength(1);
  });

  it('is not there holds up nothing', async () => {
    const { url } = collector;
    await collector.close();
    collector = await startCollector();
    const { chat } = await start({ tracing: { url: `${url}/v1/traces`, sampleRatio: 1 } });
    expect((await chat()).status).toBe(200);
    expect(await spansAfterStop()).toEqual([]);
  });
});
