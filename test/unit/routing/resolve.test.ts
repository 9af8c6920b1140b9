import { afterEach, describe, expect, it } from 'vitest';
import { createKeyring } from '../../../src/access/keyring.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { Capability } from '../../../src/fleet/capabilities.ts';
import type { Roster } from '../../../src/fleet/roster.ts';
import type { InferenceRequest } from '../../../src/routing/exchange.ts';
import { buildSnapshot, estimate, resolve } from '../../../src/routing/snapshot.ts';
import { leastConnections } from '../../../src/selection/policies/least-connections.ts';
import { plainCounters } from '../../../src/admission/counters.ts';
import { aCaller, aFleet, type FleetWishes } from '../../support/a-fleet.ts';
import { aRoster } from '../../support/a-roster.ts';
import { aRequest } from '../../support/a-request.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const rosters: Roster[] = [];
afterEach(() => {
  for (const roster of rosters.splice(0)) roster.close();
});

function setting(wishes: FleetWishes, probed = true) {
  const roster = aRoster();
  rosters.push(roster);
  const fleet = aFleet(wishes);
  for (const backend of fleet.backends) roster.of(backend).probedOnce = probed;
  const snapshot = buildSnapshot(fleet, {
    roster,
    keyring: createKeyring(fleet),
    makePolicy: leastConnections,
    policyParts: { inFlight: plainCounters(), clock: fakeClock(), random: () => 0 },
  });
  const ask = (model: string, needs: readonly Capability[] = ['chat-completions'], models?: readonly string[]) =>
    resolve(snapshot, { request: aRequest({ model, needs }), caller: aCaller({ models }), nowMs: 0 });
  return { ask, roster };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
  return 'resolved';
}

describe('resolving a model', () => {
  it('follows aliases', () => {
    const { ask } = setting({ backends: [{ models: ['m'] }], models: { m: { aliases: ['other'] } } });
    expect(ask('other').model.name).toBe('m');
  });

  it('tells a key that may not use it nothing about whether it exists', () => {
    const { ask } = setting({ backends: [{ models: ['m'] }] });
    expect([codeOf(() => ask('m', [], ['x*'])), codeOf(() => ask('n', [], ['x*']))]).toEqual([
      'forbidden',
      'forbidden',
    ]);
  });

  it('tests a key on the canonical name, whatever alias was used', () => {
    const { ask } = setting({ backends: [{ models: ['m'] }], models: { m: { aliases: ['free'] } } });
    expect(codeOf(() => ask('free', [], ['free']))).toBe('forbidden');
  });

  it('calls an unknown model unknown only once everybody was asked', () => {
    expect(codeOf(() => setting({}).ask('n'))).toBe('model_not_found');
    expect(codeOf(() => setting({}, false).ask('n'))).toBe('no_backend');
  });

  it('is never confused by names that mean something to JavaScript', () => {
    const { ask } = setting({ backends: [{ models: ['m'] }] });
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      expect(codeOf(() => ask(name))).toBe('model_not_found');
  });

  it('refuses what everybody is known not to be able to do, and only that', () => {
    const { ask } = setting({
      backends: [
        { name: 'a', models: ['m'], engine: 'tgi' },
        { name: 'b', models: ['m'], capabilities: { embeddings: false } },
      ],
    });
    expect(codeOf(() => ask('m', ['embeddings']))).toBe('unsupported');
    expect(codeOf(() => ask('m', ['vision']))).toBe('resolved');
  });

  it('refuses what different members lack different parts of', () => {
    const backends = [
      { name: 'a', models: ['m'], capabilities: { tools: false } },
      { name: 'b', models: ['m'], capabilities: { vision: false } },
    ];
    const { ask } = setting({ backends });
    expect(codeOf(() => ask('m', ['tools', 'vision']))).toBe('unsupported');
    expect(codeOf(() => ask('m', ['tools']))).toBe('resolved');
  });

  it('takes no name of a length that no model has', () => {
    const { ask } = setting({ backends: [{ models: ['m'] }] });
    expect(codeOf(() => ask('x'.repeat(100_000), [], ['*a*b']))).toBe('model_not_found');
  });
});

describe('the estimate of what a request needs', () => {
  const sized = (bytes: number, more: Partial<InferenceRequest> = {}) =>
    aRequest({ textBytes: bytes, totalTextBytes: bytes, ...more });

  it("counts text by bytes, parts by the piece, and the caller's own bound", () => {
    const { roster } = setting({});
    expect(estimate(sized(400, { parts: 2, maxTokens: 50 }), roster.estimates('m'), 't')).toEqual({
      cost: { inputTokens: 1_700, outputTokens: 50, answers: 1 },
      contextTokens: 1_750,
      answerTokens: 50,
    });
  });

  it('charges all prompts of a batch, of which only the longest has to fit', () => {
    const { roster } = setting({});
    const batch = sized(400, { endpoint: 'embeddings', totalTextBytes: 40_000 });
    expect(estimate(batch, roster.estimates('m'), 't')).toEqual({
      cost: { inputTokens: 10_000, outputTokens: 0, answers: 1 },
      contextTokens: 100,
      answerTokens: 0,
    });
  });

  it("learns how many bytes of this model's prompts make a token", () => {
    const { roster } = setting({});
    for (let n = 0; n < 200; n++) roster.estimates('m').learnInput(2_000, 1_000);
    expect(estimate(sized(1_000), roster.estimates('m'), 't').cost.inputTokens).toBeCloseTo(500, -1);
    expect(estimate(sized(1_000), roster.estimates('other'), 't').cost.inputTokens).toBe(250);
  });
});
