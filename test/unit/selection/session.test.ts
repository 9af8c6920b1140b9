// The policy `session`: by whatever names a conversation, and by how it begins where nothing does.
import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../src/admission/counters.ts';
import { endpoints } from '../../../src/endpoints/index.ts';
import { session } from '../../../src/selection/policies/session.ts';
import { anAsk } from '../../support/an-ask.ts';
import { aCandidate, namesOf } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

function aStand(count = 5) {
  const inFlight = plainCounters();
  const candidates = Array.from({ length: count }, (_, n) => aCandidate({ name: `b${n}` }));
  const policy = session({ inFlight, clock: fakeClock(), random: seededRandom(1) });
  const chat = (body: object, tenant = 't') => {
    const bytes = Buffer.from(JSON.stringify({ model: 'm', ...body }));
    const ask = anAsk({ tenant, body: bytes, fields: endpoints['chat-completions'].read(bytes) });
    return namesOf(policy.rank(candidates, ask));
  };
  return { candidates, chat, busy: (n: number) => inFlight.add(candidates[n]?.state.index ?? 0, 1) };
}

const question = { role: 'user', content: 'What is it, {"or": ["not"]}?' };

describe('the policy session', () => {
  it.each([
    [{ prompt_cache_key: 'k' }],
    [{ session_id: 'k' }],
    [{ conversation: 'k' }],
    [{ conversation: { id: 'k' } }],
    [{ metadata: { session_id: 'k' } }],
    [{ metadata: { conversation_id: 'k' } }],
  ])('has the same order for a conversation named by %j, whatever is said in it', (named) => {
    const { chat } = aStand();
    expect(chat({ ...named, messages: [question] })).toEqual(chat({ prompt_cache_key: 'k' }));
  });

  it("never lets one tenant's names meet another's", () => {
    const { chat } = aStand(40);
    const orders = ['t', 'u'].map((tenant) => chat({ session_id: 'k' }, tenant));
    expect(orders[0]).not.toEqual(orders[1]);
  });

  it('goes by everything up to the first question where nothing names the conversation', () => {
    const { chat } = aStand(40);
    const system = { role: 'system', content: 'Be brief.' };
    const first = chat({ messages: [system, question] });
    const later = [
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'Why?' },
    ];
    expect(chat({ messages: [system, question, ...later] })).toEqual(first);
    expect(chat({ messages: [{ ...system, content: 'Be long.' }, question] })).not.toEqual(first);
  });

  it('goes by connections where there is nothing to go by', () => {
    const { chat, busy } = aStand(2);
    busy(0);
    expect(chat({ messages: [] })).toEqual(['b1', 'b0']);
    expect(chat({ messages: 'none' })).toEqual(['b1', 'b0']);
  });

  it('puts who has more than its share behind all others, and moves nobody else', () => {
    const { chat, candidates, busy } = aStand();
    const before = chat({ session_id: 'k' });
    const home = candidates.findIndex(({ backend }) => backend.name === before[0]);
    for (let n = 0; n < 3; n++) busy(home);
    expect(chat({ session_id: 'k' })).toEqual([...before.slice(1), before[0]]);
  });
});
