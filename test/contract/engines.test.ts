// What every entry of the engines table owes its users, whatever a backend sends.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  DiscoveredModel,
  Engine,
  EventReading,
  Judgement,
  LoadReading,
  ProbeAnswer,
} from '../../src/engines/engine.ts';
import { engines } from '../../src/engines/index.ts';
import { endpointNames } from '../../src/fleet/capabilities.ts';

const verdicts = 'serve busy loading wrong-model unsupported overflow caller misconfigured broken'.split(' ');
const healths = ['up', 'loading', 'asleep', 'misconfigured', 'down'];

/** The keys that readers look for, with values they do not expect. */
const keys =
  'error object message type code detail choices data usage delta finish_reason id models status meta capabilities loads ' +
  'paths modalities http_status_code error_type context_length max_model_len parent __proto__ constructor';
const oddValues = fc.constantFrom('error', 'Model is overloaded', 'does not support ', 'abort', 503, '503', null);
const wireObject = fc.dictionary(fc.constantFrom(...keys.split(' ')), fc.oneof(fc.jsonValue(), oddValues));
const wireValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    wireObject,
    fc.jsonValue(),
    fc.array(tie('value')),
    fc.dictionary(fc.constantFrom('error', 'choices', 'data', 'delta', 'usage', 'models'), tie('value')),
  ),
})).value;
const json = wireValue.map((value) => JSON.stringify(value));
const cutJson = fc.tuple(json, fc.nat(200)).map(([text, length]) => text.slice(0, length));
const metricsPieces = 'vllm:num_requests_running { } engine=" " \\ 1 NaN -5 , tgi_queue_size'.split(' ');
const metrics = fc.array(fc.constantFrom(...metricsPieces, ' ', '\n')).map((pieces) => pieces.join(''));
const bodyText = fc.oneof(json, cutJson, fc.string({ unit: 'binary' }), metrics);
const status = fc.oneof(
  fc.constantFrom(200, 204, 301, 400, 401, 403, 404, 422, 424, 429, 499, 500, 501, 503, 529),
  fc.integer(),
);
const headers = fc.dictionary(
  fc.constantFrom('content-type', 'retry-after', 'server'),
  fc.constantFrom('text/html', 'application/json', '1', ''),
);
const probeAnswer: fc.Arbitrary<ProbeAnswer | undefined> = fc.option(fc.record({ status, headers, body: bodyText }), {
  nil: undefined,
});
const probeAnswers = fc.array(probeAnswer, { maxLength: 6 });

function asserting<Input>(property: fc.IProperty<Input>): () => void {
  return () => fc.assert(property);
}

function isSound({ verdict, capability }: Judgement, status: number): boolean {
  if (capability !== undefined && verdict !== 'unsupported') return false;
  return verdict === 'serve' ? status >= 200 && status < 300 : verdicts.includes(verdict);
}

function isSoundEvent({ failure, content, usage }: EventReading): boolean {
  if (usage !== undefined && !(usage.inputTokens >= 0 && usage.outputTokens >= 0)) return false;
  if (failure === undefined) return true;
  return !content && failure.verdict !== 'serve' && failure.status >= 400 && failure.status <= 599;
}

function isSoundList(models: readonly DiscoveredModel[] | undefined): boolean {
  return models?.every(({ id, contextTokens }) => id !== '' && (contextTokens ?? 1) > 0) !== false;
}

function isSoundLoad(load: LoadReading | undefined): boolean {
  if (load === undefined) return true;
  const { running, waiting, kvUsage = 0 } = load;
  return running >= 0 && waiting >= 0 && kvUsage >= 0 && kvUsage <= 1;
}

const table: readonly (readonly [string, Engine])[] = Object.entries(engines);

describe.each(table)('the engine %s', (name, engine) => {
  it('is named as in the table', () => expect(engine.name).toBe(name));

  it('has endpoints, all of them known and below /v1/', () => {
    expect(engine.endpoints.size).toBeGreaterThan(0);
    for (const endpoint of engine.endpoints) {
      expect(endpointNames).toContain(endpoint);
      expect(engine.path(endpoint)).toMatch(/^\/v1\/[a-z/]+$/);
    }
  });

  it('judges any reply without throwing', () => {
    const property = fc.property(
      status,
      headers,
      fc.oneof(
        bodyText.map((text) => Buffer.from(text)),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      (status, headers, body) => isSound(engine.judge(status, headers, body), status),
    );
    expect(asserting(property)).not.toThrow();
  });

  it('judges 64 KiB of hostile text', () => {
    for (const piece of ['{"error":', '"', '\\"', '{', '[', ' ', '"message":', 'does not support "', '<']) {
      const body = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)).slice(0, 65_536));
      for (const status of [200, 400, 404, 500, 503])
        expect(verdicts).toContain(engine.judge(status, {}, body).verdict);
    }
  });

  it('reads any event without throwing', () => {
    const property = fc.property(bodyText, (data) => isSoundEvent(engine.readEvent(data)));
    expect(asserting(property)).not.toThrow();
  });

  it('reads any answers to its probes without throwing', () => {
    const property = fc.property(probeAnswers, (answers) => {
      const { health, models, load } = engine.probes;
      const fine = isSoundList(models.read(answers)) && isSoundLoad(load?.read(answers));
      return fine && healths.includes(health.read(answers));
    });
    expect(asserting(property)).not.toThrow();
  });

  it('takes silence for down, and for nothing learnt', () => {
    for (const answers of [[], [undefined, undefined, undefined]]) {
      expect(engine.probes.health.read(answers)).toBe('down');
      expect(engine.probes.models.read(answers)).toBeUndefined();
      expect(engine.probes.load?.read(answers)).toBeUndefined();
    }
  });

  it('probes by plain paths, at times of its own', () => {
    for (const probe of [engine.probes.health, engine.probes.models, engine.probes.load]) {
      if (probe === undefined) continue;
      expect(probe.paths.length).toBeGreaterThan(0);
      for (const path of probe.paths) expect(path).toMatch(/^\/[\w/.?=]+$/);
      expect(probe.intervalMs).toBeGreaterThan(0);
      expect(probe.timeoutMs).toBeGreaterThan(0);
    }
  });

  it('learns models from a plain list', () => {
    const list = { status: 200, headers: {}, body: '{"object":"list","data":[{"id":"m","object":"model"}]}' };
    expect(engine.probes.models.read([list])).toMatchObject([{ id: 'm' }]);
  });
});
