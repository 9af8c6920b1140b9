// The JSON Schema of fleet files: that it is the one committed, that it says something about every field, and that it
// takes what `check` takes.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fieldWords } from '../../../src/config/field-words.ts';
import { fleetJsonSchema, wordsOf } from '../../../src/config/json-schema.ts';
import { valid } from './support.ts';

const root = new URL('../../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');

const schema: Record<string, unknown> = { ...fleetJsonSchema() };
const judge = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(schema);

/** Where it is wrong, and the kind of mistake. */
function wrong(text: string): readonly string[] {
  if (judge(parse(text))) return [];
  return [...new Set((judge.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`))];
}

function pathsOf(node: unknown, path = ''): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties = {}, items, additionalProperties, anyOf = [] }: Record<string, unknown> = { ...node };
  const named = Object.entries(Object(properties)).flatMap(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return [at, ...pathsOf(value, at)];
  });
  return [...named, ...[items, additionalProperties, ...[anyOf].flat()].flatMap((inner) => pathsOf(inner, path))];
}

/** Where lists and names of one's own come in between, no file can be made of a path alone. */
const isPlain = (path: string) => !/^(backends|models|auth\.keys|auth\.tenants|shared_state)(\.|$)/.test(path);

describe('the JSON Schema', () => {
  it('is the one in config/ (npm run docs:schema)', () => {
    expect(JSON.parse(read('config/fleet.schema.json'))).toEqual(schema);
  });

  it('says something about every field, and about nothing else', () => {
    const paths = pathsOf(schema);
    expect(paths.length).toBeGreaterThan(200);
    expect(paths.filter((path) => wordsOf(path) === undefined)).toEqual([]);
    const used = new Set(paths.map((path) => wordsOf(path)?.[0]));
    expect(Object.keys(fieldWords).filter((name) => !used.has(name))).toEqual([]);
  });

  it('tells the defaults that leaving a field out has', () => {
    const file: Record<string, unknown> = { version: 1, backends: [{ url: 'http://h:1' }] };
    let told = 0;
    for (const path of pathsOf(schema).filter(isPlain)) {
      const value = wordsOf(path)?.[1].default;
      if (value === undefined) continue;
      let at = file;
      const names = path.split('.');
      for (const name of names.slice(0, -1)) at = Object((at[name] ??= {}));
      at[names.at(-1) ?? ''] = value;
      told++;
    }
    expect(told).toBeGreaterThan(35);
    const short = valid(JSON.stringify({ version: 1, backends: [{ url: 'http://h:1' }] })).fleet;
    const { fleet } = valid(JSON.stringify(file));
    // Naming an address makes it one that was chosen.
    expect(fleet).toEqual({ ...short, admin: { ...short.admin, isChosen: true } });
  });

  it('gives examples and defaults that are themselves right', () => {
    const findings = pathsOf(schema).flatMap((path) => {
      const words = wordsOf(path)?.[1];
      const given = [...(words?.examples ?? []), ...(words?.default === undefined ? [] : [words.default])];
      return given.filter((value) => !fits(path, value)).map((value) => `${path}: ${JSON.stringify(value)}`);
    });
    expect(findings).toEqual([]);
  });

  it('is named on the first line of the fleet files in config/', () => {
    for (const name of ['fleet.yaml', 'fleet.example.yaml'])
      expect(read(`config/${name}`).split('\n')[0]).toBe('# yaml-language-server: $schema=./fleet.schema.json');
  });
});

describe('by the JSON Schema', () => {
  it.each(['config/fleet.yaml', 'config/fleet.example.yaml'])('%s is right', (name) => {
    expect(wrong(read(name))).toEqual([]);
  });

  it('every fleet file in the README is right, whole or a part', () => {
    const blocks = [...read('README.md').matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text = '']) => text);
    expect(blocks.length).toBeGreaterThan(1);
    for (const block of blocks) expect([block, wrong(whole(block))]).toEqual([block, []]);
  });

  it('a variable fits a number, a switch, a duration and a word', () => {
    const text = `version: 1
server: { metrics: "\${M}", max_body: "\${S:-8MiB}", drain_delay: "\${D}", rate_limit_headers: "\${H}" }
backends: [{ url: "\${URL}", weight: "\${W:-2}", max_in_flight: "\${N}" }]`;
    expect(wrong(text)).toEqual([]);
  });

  it('what is left empty is left out, and a name alone declares a model', () => {
    const text = 'version: 1\nserver:\n  listen:\nbackends: [{ url: "http://h:1", auth: }]\nmodels:\n  m:\n';
    expect(wrong(text)).toEqual([]);
    expect(valid(text).warnings).toEqual([]);
  });

  it.each([
    ['version: 1', ' required'],
    ['version: 2\nbackends: [{ url: http://h:1 }]', '/version const'],
    ['version: 1\nbackends: [{ url: http://h:1, wieght: 2 }]', '/backends/0 additionalProperties'],
    ['version: 1\nbackends: [{ url: h:1 }]', '/backends/0/url pattern'],
    ['version: 1\nbackends: [{ url: http://h:1, engine: vlm }]', '/backends/0/engine enum'],
    ['version: 1\nbackends: [{ url: http://h:1, weight: "2" }]', '/backends/0/weight type'],
    ['version: 1\nbackends: [{ url: http://h:1, stall_after: 30 }]', '/backends/0/stall_after type'],
    ['version: 1\nbackends: [{ url: http://h:1, stall_after: 30sec }]', '/backends/0/stall_after pattern'],
    ['version: 1\nserver: { max_body: 8M }\nbackends: [{ url: http://h:1 }]', '/server/max_body pattern'],
    ['version: 1\nserver: { overload: { heap: 2 } }\nbackends: [{ url: http://h:1 }]', '/server/overload/heap maximum'],
    ['version: 1\nmodels: { m: { fallback: 3 } }\nbackends: [{ url: http://h:1 }]', '/models/m/fallback type'],
    ['version: 1\nrouting: { policy: best }\nbackends: [{ url: http://h:1 }]', '/routing/policy enum'],
  ])('%j is wrong', (text, where) => {
    expect(wrong(text)).toContain(where);
  });
});

/** A part of a fleet file, as texts show them, with what makes it a whole one. */
function whole(block: string): string {
  const version = /^version:/m.test(block) ? '' : 'version: 1\n';
  return version + block + (/^backends:/m.test(block) ? '' : 'backends: [{ url: http://h:1 }]\n');
}

/** Whether a value may stand in a field, whatever else there is. */
function fits(path: string, value: unknown): boolean {
  const at = find(schema, path.split('.'));
  return new Ajv({ strict: false }).compile({ ...Object(at), definitions: schema['definitions'] })(value);
}

function find(node: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return node;
  const { properties, items, additionalProperties, anyOf = [] }: Record<string, unknown> = { ...Object(node) };
  const own: unknown = Object(properties)[name];
  if (own !== undefined) return find(own, rest);
  for (const inner of [items, additionalProperties, ...[anyOf].flat()]) {
    const found = typeof inner === 'object' && inner !== null ? find(inner, [name, ...rest]) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
