// Traces that are made up from a seed: coding agents, and a mixture of long documents asked about a few times. The shapes follow
// what was measured on public traces (callanjfox/kv-cache-tester, Mooncake's synthetic trace); the texts do not exist.
import { createHash } from 'node:crypto';
import { seededRandom } from '../../support/seeded-random.ts';
import { type Trace, type TraceLine, traceOf } from './trace.ts';

export interface AgentWishes {
  readonly seed: number;
  readonly sessions: number;
  /** Between the starts of sessions, on average. */
  readonly gapS: number;
  readonly maxTokens: number;
}

const agent = {
  blockTokens: 256,
  systemTokens: 8 * 1024,
  firstMessage: { median: 25_000, sigma: 0.9, most: 90_000 },
  answer: { median: 218, sigma: 1.2, most: 4000 },
  toolResult: { median: 1300, sigma: 1.2, most: 24_000 },
  thinkS: { median: 3, sigma: 1.3, most: 30 },
  /** Chance of the last turn after each turn. */
  ends: 1 / 70,
  /** Chance that the history is edited, so that its tail is new. */
  edits: 0.05,
};

/** Closed loop: every session has one request at a time, the whole history in each, and a tool or a person thinks in between. */
export function agentTrace(wishes: AgentWishes): Trace {
  const random = seededRandom(wishes.seed);
  const lines: TraceLine[] = [];
  let block = agent.systemTokens / agent.blockTokens;
  let startS = 0;
  for (let session = 0; session < wishes.sessions; session++) {
    startS += -Math.log(1 - random()) * wishes.gapS;
    let tokens = agent.systemTokens + Math.round(logNormal(agent.firstMessage, random));
    const blocks = Array.from({ length: agent.systemTokens / agent.blockTokens }, (_, index) => index);
    for (let turn = 0; ; turn++) {
      while (blocks.length < Math.ceil(tokens / agent.blockTokens)) blocks.push(block++);
      const output = Math.max(1, Math.round(logNormal(agent.answer, random)));
      if (tokens + output > wishes.maxTokens) break;
      lines.push({
        ...(turn === 0 ? { at: startS } : { after: lines.length - 1, think: logNormal(agent.thinkS, random) }),
        input: tokens,
        output,
        blocks: blocks.slice(0, Math.floor(tokens / agent.blockTokens)),
        block_tokens: agent.blockTokens,
        conversation: `s${session}`,
      });
      if (random() < agent.ends) break;
      if (random() < agent.edits) {
        tokens = Math.max(agent.systemTokens, Math.round(tokens * (0.5 + 0.4 * random())));
        blocks.length = Math.min(blocks.length, Math.floor(tokens / agent.blockTokens));
      } else {
        // The block that was not full yet is another one now.
        blocks.length = Math.floor(tokens / agent.blockTokens);
      }
      tokens += output + Math.round(logNormal(agent.toolResult, random));
    }
  }
  return traceOf('agents', lines, digestOf({ agent, wishes }));
}

export interface DocumentWishes {
  readonly seed: number;
  readonly requests: number;
  readonly ratePerS: number;
}

const documents = {
  blockTokens: 512,
  first: { median: 9800, sigma: 0.95, most: 66_000 },
  added: { median: 400, sigma: 1, most: 8000 },
  answer: { median: 69, sigma: 1.24, most: 2000 },
  gapS: 140,
  /** Questions per document. */
  questions: 4.5,
};

/** Open loop: a document comes in, and some questions about it follow within minutes. */
export function documentTrace(wishes: DocumentWishes): Trace {
  const random = seededRandom(wishes.seed);
  const spanS = wishes.requests / wishes.ratePerS;
  const lines: TraceLine[] = [];
  let block = 0;
  while (lines.length < wishes.requests) {
    let at = random() * spanS;
    let tokens = Math.round(logNormal(documents.first, random));
    const blocks: number[] = [];
    do {
      while (blocks.length < Math.floor(tokens / documents.blockTokens)) blocks.push(block++);
      const output = Math.max(1, Math.round(logNormal(documents.answer, random)));
      lines.push({ at, input: tokens, output, blocks: blocks.slice(), block_tokens: documents.blockTokens });
      at += -Math.log(1 - random()) * documents.gapS;
      tokens = Math.min(documents.first.most, tokens + output + Math.round(logNormal(documents.added, random)));
    } while (random() > 1 / documents.questions && at < spanS);
  }
  const ordered = lines.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0));
  return traceOf('documents', ordered, digestOf({ documents, wishes }));
}

interface Shape {
  readonly median: number;
  readonly sigma: number;
  readonly most: number;
}

function logNormal({ median, sigma, most }: Shape, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(most, median * Math.exp(sigma * normal));
}

function digestOf(made: unknown): string {
  return createHash('sha256').update(JSON.stringify(made)).digest('hex');
}
