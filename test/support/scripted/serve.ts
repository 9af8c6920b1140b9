// The order in which a scripted engine looks at a request: what a test told it, the key, its health, its room, its rules.
import { sendAnswer, sendFault } from './answer.ts';
import { type Behaviour, fault } from './behaviours.ts';
import { decide, endpointAt } from './decide.ts';
import type { Dialect } from './dialect.ts';
import type { Entry } from './journal.ts';
import { type Conversation, disturb, forever, sendReply, wait } from './perform.ts';
import type { ScriptedEngineOptions } from './settings.ts';

export interface Rules {
  readonly options: ScriptedEngineOptions;
  /** For this path, by a test. */
  told(): Behaviour | undefined;
  /** For POST endpoints, by a test. */
  toldForPost(): Behaviour | undefined;
  /** Resolves when the engine is awake or the peer is gone. */
  awake(): Promise<void>;
}

export async function serve(on: Conversation, rules: Rules): Promise<void> {
  const { dialect, entry, world, slots } = on;
  const override = rules.told();
  if (override !== undefined) return carryOut(on, override);
  // the state check runs before the key check.
  const free = entry.method !== 'POST' || endpointAt(entry.path) === undefined;
  if (!free && world.health === 'loading' && dialect.name === 'llamacpp') return carryOut(on, fault('loading'));
  if (dialect.guards(entry.method, entry.path) && !hasKey(dialect, entry, rules.options.apiKey)) {
    return carryOut(on, fault('unauthorized', { as: 'status' }));
  }
  if (free) return answerFree(on, rules.options);
  // requests are accepted and wait for the wake-up.
  if (world.health === 'asleep' && dialect.name === 'vllm') await rules.awake();
  on.signal.throwIfAborted();
  const told = rules.toldForPost();
  if (told !== undefined) return carryOut(on, told);
  const full = slots.full && (rules.options.atCapacity ?? dialect.atCapacity) === 'reject';
  return carryOut(on, full ? fault('busy') : decide(dialect, world, entry));
}

async function carryOut(on: Conversation, behaviour: Behaviour): Promise<void> {
  if (behaviour.kind === 'answer') return sendAnswer(on, behaviour);
  if (behaviour.kind === 'fault') return sendFault(on, behaviour);
  return disturb(on, behaviour);
}

async function answerFree(on: Conversation, { healthDelayMs }: ScriptedEngineOptions): Promise<void> {
  const { dialect, world, entry, signal } = on;
  const { method, path } = entry;
  const query = new URLSearchParams(entry.url.slice(path.length));
  const question = { method, path, query, accept: entry.headers.accept ?? '', world };
  if (world.health === 'hang') return forever(signal);
  if (/health|ready/.test(path) && healthDelayMs !== undefined) await wait(healthDelayMs, signal);
  const found = dialect.route(question);
  if (found !== undefined) return sendReply(on, found);
  const known =
    endpointAt(path) !== undefined || (method !== 'GET' && dialect.route({ ...question, method: 'GET' }) !== undefined);
  return sendReply(on, known ? dialect.wrongMethod(question) : dialect.notFound(question));
}

function hasKey({ name }: Dialect, { headers }: Entry, apiKey: string | undefined): boolean {
  if (apiKey === undefined || headers.authorization === `Bearer ${apiKey}`) return true;
  return (name === 'llamacpp' || name === 'localai') && headers['x-api-key'] === apiKey;
}
