// One scripted engine as a process of its own, so that it can be killed and stopped, and so that the callers' loop does not
// disturb it. Started by engine-process.ts: `node engine.ts NAME PORT`; told what to do by messages.
import { startScriptedEngine } from '../support/scripted-engine.ts';
import {
  answer,
  type AnswerOptions,
  type Behaviour,
  cutAfterBytes,
  diesAfter,
  drip,
  errorEvent,
  fault,
  hang,
} from '../support/scripted/behaviours.ts';
import { isJson } from '../support/scripted/dialect.ts';
import type { JournalEntry } from '../support/scripted/journal.ts';
import { answerName, piecesOf } from './content.ts';

/** What an engine can be told to do with every new request. */
export const misbehaviours = ['none', 'hang', 'error', 'reset', 'drip', 'full', 'event'] as const;
export type Misbehaviour = (typeof misbehaviours)[number];

/** What a caller wants, in `metadata` of its request. */
export interface Wish {
  readonly request: string;
  readonly pieces: number;
  readonly firstMs: number;
  readonly gapMs: number;
}

const [, , name = '', port = '0'] = process.argv;
let misbehaviour: Misbehaviour = 'none';
let count = 0;

const everything = { chat: true, completions: true, embeddings: true, tools: true, vision: true };
const engine = await startScriptedEngine({ imitates: 'vllm', port: Number(port), can: everything });
engine.respond((entry) => behave(entry));
setInterval(() => engine.forget(), 1_000);
process.on('message', (told) => {
  misbehaviour = misbehaviours.find((known) => known === told) ?? 'none';
  process.send?.('told');
});
// Nobody is left to end it.
process.on('disconnect', () => process.exit());
process.send?.('listening');

function behave(entry: JournalEntry): Behaviour {
  const { json, path } = entry;
  const wish = wishIn(json['metadata']);
  const answered = answerName(wish.request, name, ++count);
  const good = (pieces = wish.pieces): AnswerOptions => ({
    pieces: piecesOf(answered, pieces),
    firstMs: wish.firstMs,
    gapMs: wish.gapMs,
  });
  const streamed = json['stream'] === true && !path.endsWith('/embeddings');
  switch (misbehaviour) {
    case 'none':
      return answer(good());
    case 'hang':
      return hang();
    case 'error':
      return fault('internal', { as: 'status' });
    case 'reset':
      return streamed ? diesAfter(Math.ceil(wish.pieces / 2), 'reset', good()) : cutAfterBytes(40, 'reset', good());
    case 'drip':
      return drip(1, { ...good(4), firstMs: 0 });
    case 'full':
      return fault('busy', { as: 'status', headers: { 'retry-after': '1' } });
    case 'event':
      return streamed ? errorEvent('internal') : fault('internal', { as: 'status' });
    default:
      return misbehaviour satisfies never;
  }
}

function wishIn(metadata: unknown): Wish {
  const { request, pieces, firstMs, gapMs } = isJson(metadata) ? metadata : {};
  return { request: String(request), pieces: Number(pieces), firstMs: Number(firstMs), gapMs: Number(gapMs) };
}
