// Bodies of any shape through the splices: exactly the declared bytes change.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatCompletions } from '../../../src/endpoints/chat-completions.ts';
import { prepare, renameModel } from '../../../src/routing/prepare.ts';
import { aRequest } from '../../support/a-request.ts';
import { aCandidate } from '../../support/candidates.ts';

// V8 (as of Node 24) takes the member "\u006f" for "\\" where it has seen that one at this place: no name begins so.
const isReadAlike = (text: string) => !text.startsWith('\\');
const blank = fc.constantFrom('', '', ' ', '\n', '\t \r\n');

/** A text as JSON in one of the many ways it can be written: what is marked, and stands for itself, is escaped. */
function written(text: string, escapes: readonly boolean[]): string {
  const units = text.split('').map((unit, at) => {
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return escapes[at % Math.max(1, escapes.length)] === true ? `\\u${hex}` : JSON.stringify(unit).slice(1, -1);
  });
  // A pair of surrogates of which one is escaped would be no text any more.
  return /[\u0080-\uffff]/.test(text) ? JSON.stringify(text) : `"${units.join('')}"`;
}

const escapes = fc.array(fc.boolean(), { maxLength: 5 });
const texts = fc.oneof(
  fc.constantFrom('model', '"model":"x"', '\\', '\\"', '{"model":', '}', '[DONE]', '', '\uFEFF', '😀', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const value = fc.oneof(
  fc.constantFrom(
    'null',
    '-0',
    '1e400',
    '12345678901234567890',
    '[]',
    '{}',
    '{"model":"inner"}',
    '[{"model":[]}]',
    'true',
  ),
  fc.tuple(texts, escapes).map(([text, how]) => written(text, how)),
  fc
    .jsonValue({ maxDepth: 3 })
    .map((json) => JSON.stringify(json, null, 1))
    .filter((text) => !text.includes('"\\\\')),
);
const name = fc.oneof(fc.constantFrom('Model', 'model ', 'models', 'o', '__proto__', 'constructor', 'metadata'), texts);
const decided = new Set(['model', 'stream', 'stream_options', 'messages', 'tools', 'functions', 'response_format']);

interface Member {
  readonly key: string;
  readonly value: string;
  readonly around: readonly [string, string, string, string];
}

const around = fc.tuple(blank, blank, blank, blank);
const others = fc.array(
  fc.record({
    key: fc
      .tuple(
        name.filter((text) => !decided.has(text) && isReadAlike(text)),
        escapes,
      )
      .map(([text, how]) => written(text, how)),
    value,
    around,
  }),
  { maxLength: 6 },
);

function object(members: readonly Member[]): string {
  const texts = members.map(({ key, value, around: [a, b, c, d] }) => `${a}${key}${b}:${c}${value}${d}`);
  return `{${texts.join(',')}}`;
}

/** The member among the others, at any place. */
const among = (members: readonly Member[], more: Member, at: number) =>
  members.toSpliced(at % (members.length + 1), 0, more);

const modelKey = fc.tuple(fc.constant('model'), escapes).map(([text, how]) => written(text, how));
const names = fc.tuple(texts, escapes).filter(([text]) => text !== '');

describe('a body whose model has another name at the backend', () => {
  it('reaches it with that name and every other byte as it was', () => {
    fc.assert(
      fc.property(
        others,
        modelKey,
        names,
        texts,
        around,
        fc.nat(),
        fc.constantFrom('', '\uFEFF', '\n '),
        (members, key, [asked, how], real, spaces, at, before) => {
          const body = (model: string) => before + object(among(members, { key, value: model, around: spaces }, at));
          const bytes = Buffer.from(body(written(asked, how)));
          const fields = chatCompletions.read(bytes);
          const candidate = aCandidate();
          const { request, renameTo } = prepare(
            aRequest({ ...fields, body: bytes }),
            { requestId: 'id', countsTokens: false },
            { ...candidate, member: { ...candidate.member, name: real } },
          );
          const model = JSON.parse(JSON.stringify(asked));
          expect(fields.model).toBe(JSON.parse(written(asked, how)));
          expect(request.body.toString()).toBe(model === real ? bytes.toString() : body(JSON.stringify(real)));
          expect(renameTo?.toString()).toBe(model === real ? undefined : JSON.stringify(asked));
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

describe('a stream whose usage is asked for', () => {
  const options = fc.oneof(
    fc.constantFrom(
      'null',
      '{}',
      '{ }',
      '{"include_usage":false}',
      '{"include_usage" : null,"x":1}',
      '{"inc\\u006cude_usage":false}',
      '{"include_usage":true,"include_usage":false}',
    ),
    others.map(object),
  );

  it('says so in its options and is the same otherwise', () => {
    fc.assert(
      fc.property(others, fc.option(options, { nil: undefined }), fc.nat(), fc.nat(), (members, given, here, there) => {
        const plain = { around: ['', '', ' ', ''] } as const;
        const model = { key: '"model"', value: '"m"', ...plain };
        const stream = { key: '"stream"', value: 'true', ...plain };
        const withStream = among(among(members, model, here), stream, there);
        const body = Buffer.from(
          object(
            given === undefined
              ? withStream
              : among(withStream, { key: '"stream_options"', value: given, ...plain }, here),
          ),
        );
        const candidate = aCandidate({ usage: 'force' });
        const fields = chatCompletions.read(body);
        const sent = prepare(aRequest({ ...fields, body }), { requestId: 'id', countsTokens: false }, candidate);
        const before: Record<string, unknown> = JSON.parse(body.toString());
        const after: unknown = JSON.parse(sent.request.body.toString());
        const options = before['stream_options'];
        // As JSON.parse does it: a member of any name becomes one of the object's own.
        const asked = Object.assign(Object.create(null), options, { include_usage: true });
        expect(JSON.stringify(sorted(after))).toBe(JSON.stringify(sorted({ ...before, stream_options: asked })));
        expect(sent.dropUsageEvent).toBe(!fields.includeUsage);
        expect(sent.request.body === body).toBe(fields.includeUsage);
        expect(withoutOne(sent.request.body.toString(), body.toString())).toBe(true);
      }),
      { numRuns: 1_500 },
    );
  });
});

/** Whether one run of bytes was put in place of another, which is a value or nothing. */
function withoutOne(after: string, before: string): boolean {
  let start = 0;
  while (start < before.length && after[start] === before[start]) start++;
  let end = 0;
  while (end < before.length - start && after.at(-1 - end) === before.at(-1 - end)) end++;
  return before.length - start - end <= 'false'.length && after.length - start - end <= 45;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe('the name in an answer', () => {
  it('changes in place, wherever the JSON stands, and nothing else does', () => {
    fc.assert(
      fc.property(others, modelKey, value, texts, around, fc.nat(), (members, key, own, asked, spaces, at) => {
        const event = (model: string) =>
          `data: ${object(among(members, { key, value: model, around: spaces }, at))}\n\n`;
        const bytes = Buffer.from(event(own));
        const name = JSON.stringify(asked);
        expect(renameModel(bytes, bytes.indexOf('{'), Buffer.from(name)).toString()).toBe(
          Buffer.from(event(name)).toString(),
        );
      }),
      { numRuns: 1_500 },
    );
  });

  it('is looked for in any bytes without harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const event = Buffer.concat([Buffer.from('data: {"model":'), bytes]);
        expect(renameModel(event, 6, Buffer.from('"x"')).length).toBeGreaterThan(0);
      }),
    );
  });
});
