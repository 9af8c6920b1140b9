import { describe, expect, it } from 'vitest';
import type { DiscoveredModel } from '../../../src/engines/engine.ts';
import type { EngineName } from '../../../src/engines/index.ts';
import { buildCatalogue } from '../../../src/fleet/catalogue.ts';
import { aFleet, type FleetWishes } from '../../support/a-fleet.ts';

interface Found {
  readonly engine?: EngineName;
  readonly models: readonly (string | DiscoveredModel)[];
}

function catalogue(wishes: FleetWishes, found: Readonly<Record<string, Found>>) {
  const built = buildCatalogue(aFleet(wishes), ({ name }) => ({
    engine: found[name]?.engine ?? 'vllm',
    models: found[name]?.models.map((model) => (typeof model === 'string' ? { id: model, can: {} } : model)),
  }));
  const members = [...built.models].map(([name, model]) => [
    name,
    model.members.map((member) => `${member.backend.name}:${member.name}`),
  ]);
  return { ...built, members: Object.fromEntries(members) };
}

describe('the catalogue', () => {
  it('has every discovered model once, with all who serve it, in a stable order', () => {
    const { members, models } = catalogue(
      { backends: [{ name: 'a' }, { name: 'b' }] },
      { a: { models: ['z', 'm'] }, b: { models: ['m'] } },
    );
    expect(members).toEqual({ m: ['a:m', 'b:m'], z: ['a:z'] });
    expect([...models.keys()]).toEqual(['m', 'z']);
  });

  it('puts the models of the fleet file first, and knows them even when nobody serves them', () => {
    const { members, models } = catalogue(
      { backends: [{ name: 'a' }], models: { z: {}, alone: {} } },
      { a: { models: ['b', 'z'] } },
    );
    expect([...models.keys()]).toEqual(['z', 'alone', 'b']);
    expect(members).toEqual({ z: ['a:z'], alone: [], b: ['a:b'] });
  });

  it('publishes a mapped name under its public name only', () => {
    const wishes = { backends: [{ name: 'a' }], models: { nice: { backendNames: new Map([['a', 'org/real']]) } } };
    expect(catalogue(wishes, { a: { models: ['org/real', 'other'] } }).members).toEqual({
      nice: ['a:org/real'],
      other: ['a:other'],
    });
    expect(catalogue(wishes, {}).members).toEqual({ nice: ['a:org/real'] });
  });

  it("takes a backend's own name that is an alias for the model meant", () => {
    const { members } = catalogue(
      { backends: [{ name: 'a' }], models: { nice: { aliases: ['org/real'] } } },
      { a: { models: ['org/real'] } },
    );
    expect(members).toEqual({ nice: ['a:org/real'] });
  });

  it('serves only the named models where the file names them', () => {
    const { members } = catalogue({ backends: [{ name: 'a', models: ['m'] }] }, { a: { models: ['m', 'other'] } });
    expect(members).toEqual({ m: ['a:m'] });
  });

  it('sends engines that ignore names the one name they have', () => {
    const wishes = { backends: [{ name: 'a', models: ['nice'] }] };
    expect(catalogue(wishes, { a: { engine: 'sglang', models: ['org/real'] } }).members).toEqual({
      nice: ['a:org/real'],
    });
    expect(catalogue(wishes, { a: { engine: 'vllm', models: ['org/real'] } }).members).toEqual({ nice: ['a:nice'] });
    expect(catalogue(wishes, { a: { engine: 'sglang', models: ['one', 'two'] } }).members).toEqual({
      nice: ['a:nice'],
    });
  });

  it('leaves out what a disabled backend has, and keeps what a draining one has', () => {
    const { members } = catalogue(
      {
        backends: [
          { name: 'a', state: 'disabled' },
          { name: 'b', state: 'draining' },
        ],
      },
      { a: { models: ['x'] }, b: { models: ['y'] } },
    );
    expect(members).toEqual({ y: ['b:y'] });
  });

  it('resolves the short names that a backend accepts, without listing them', () => {
    const { aliases, models } = catalogue(
      { backends: [{ name: 'a' }] },
      { a: { engine: 'ollama', models: [{ id: 'qwen3:latest', aliases: ['qwen3'], can: {} }] } },
    );
    expect(aliases.get('qwen3')).toBe('qwen3:latest');
    expect([...models.keys()]).toEqual(['qwen3:latest']);
  });

  it('believes the operator before the backend, and no one about an endpoint the engine lacks', () => {
    const discovered = { id: 'm', contextTokens: 100, can: { tools: true, vision: true } };
    const { models } = catalogue(
      {
        backends: [{ name: 'a', contextTokens: 50, capabilities: { vision: false, embeddings: true } }],
        models: { m: { contextTokens: 70, capabilities: { audio: true } } },
      },
      { a: { engine: 'tgi', models: [discovered] } },
    );
    expect(models.get('m')?.members[0]).toMatchObject({
      contextTokens: 50,
      can: { tools: true, vision: false, audio: true, embeddings: false },
    });
  });
});
