import { describe, expect, it } from 'vitest';
import { effectsOf, type Standing } from '../../../src/fleet/effects.ts';

const backend = (name: string, weight = 1) => ({ name, url: `http://${name}:1`, weight, state: 'enabled' });
const member = (name: string, weight = 1, usable = true) => ({ backend: name, weight, usable });

function standing(models: Readonly<Record<string, readonly ReturnType<typeof member>[]>>): Standing {
  const names = new Set(Object.values(models).flatMap((members) => members.map((one) => one.backend)));
  return { backends: [...names].map((name) => backend(name)), models: new Map(Object.entries(models)) };
}

describe('the effects of another fleet file', () => {
  it('are none where it is the same', () => {
    const now = standing({ m: [member('a'), member('b', 3)] });
    const effects = effectsOf(now, now);
    expect(effects).toMatchObject({ added: [], removed: [], changed: [], losses: [] });
    expect(effects.models).toMatchObject([{ change: 'same', before: [{ share: 0.25 }, { share: 0.75 }] }]);
  });

  it('are backends that come, go and change', () => {
    const before: Standing = { backends: [backend('a'), backend('b'), backend('c')], models: new Map() };
    const after: Standing = { backends: [backend('a'), backend('b', 2), backend('d')], models: new Map() };
    const { added, removed, changed } = effectsOf(before, after);
    expect([added.map(({ name }) => name), removed.map(({ name }) => name), changed]).toEqual([
      ['d'],
      ['c'],
      [{ name: 'b', how: 'weight 1 → 2' }],
    ]);
  });

  it('are models gained and lost, and a loss is told with whom', () => {
    const effects = effectsOf(
      standing({ old: [member('a')], both: [member('a')] }),
      standing({ both: [member('a')], new: [member('b')] }),
    );
    expect(effects.models.map(({ model, change }) => [model, change])).toEqual([
      ['old', 'lost'],
      ['both', 'same'],
      ['new', 'gained'],
    ]);
    expect(effects.losses).toEqual(['model "old" loses its last member: a']);
  });

  it('are other shares, and fewer members are a loss', () => {
    const { models, losses } = effectsOf(standing({ m: [member('a'), member('b')] }), standing({ m: [member('a')] }));
    expect(models[0]).toMatchObject({ change: 'other', after: [{ backend: 'a', share: 1 }] });
    expect(losses).toEqual(['model "m" has 1 member instead of 2: b gone']);
    expect(effectsOf(standing({ m: [member('a')] }), standing({ m: [member('b'), member('c')] })).losses).toEqual([]);
  });

  it('count only who can take requests: who was out before is no loss', () => {
    const out = standing({ m: [member('a'), member('b', 1, false)] });
    expect(effectsOf(out, standing({ m: [member('a')] })).losses).toEqual([]);
    expect(effectsOf(standing({ m: [member('a')] }), standing({ m: [member('a', 1, false)] })).losses).toHaveLength(1);
  });
});
