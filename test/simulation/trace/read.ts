// Reads the common format: JSON Lines, gzipped or not. Whatever is wrong is said with its line, up to ten of them at once.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Trace, type TraceLine, traceOf } from './trace.ts';

const mostProblems = 10;

/** Throws an `Error` that names file and line of everything it does not understand. */
export function readTrace(file: string): Trace {
  return parseTrace(basename(file).replace(/\.jsonl(\.gz)?$/, ''), readText(file));
}

export function readText(file: string): string {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

export function parseTrace(name: string, text: string): Trace {
  const problems: string[] = [];
  const lines: TraceLine[] = [];
  let blockTokens: number | undefined = undefined;
  for (const [index, line] of text.trimEnd().split('\n').entries()) {
    const read = readLine(line, index);
    if (typeof read === 'string') {
      problems.push(`${name}:${index + 1}: ${read}`);
      if (problems.length === mostProblems) break;
      continue;
    }
    if (typeof read.block_tokens === 'number') {
      blockTokens ??= read.block_tokens;
      if (read.block_tokens !== blockTokens)
        problems.push(`${name}:${index + 1}: blocks of ${read.block_tokens} tokens, those before had ${blockTokens}`);
    }
    lines.push(read);
  }
  if (lines.length === 0 && problems.length === 0) problems.push(`${name}:1: no request`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return traceOf(name, lines, createHash('sha256').update(text).digest('hex'));
}

/** The line, or what is wrong with it. */
function readLine(text: string, index: number): TraceLine | string {
  let value: unknown = undefined;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const line = value as Partial<Record<keyof TraceLine, unknown>>;
  const wrong = Object.entries(rules).find(([field, { holds }]) => !holds(line[field as keyof TraceLine], index));
  if (wrong !== undefined) return `${wrong[0]} must be ${wrong[1].what}`;
  if (isNone(line.at) && isNone(line.after)) return 'needs at or after';
  if (Array.isArray(line.blocks) && line.blocks.length > 0 && isNone(line.block_tokens))
    return 'blocks need block_tokens';
  return line as TraceLine;
}

interface Rule {
  readonly what: string;
  readonly holds: (value: unknown, index: number) => boolean;
}

const rules: Readonly<Record<keyof TraceLine, Rule>> = {
  at: { what: 'seconds, 0 or more', holds: (value) => isNone(value) || isFrom(value, 0) },
  input: { what: 'a whole number of tokens, 1 or more', holds: (value) => isFrom(value, 1) && Number.isInteger(value) },
  output: {
    what: 'a whole number of tokens, 0 or more',
    holds: (value) => isFrom(value, 0) && Number.isInteger(value),
  },
  blocks: {
    what: 'a list of whole numbers',
    holds: (value) => isNone(value) || (Array.isArray(value) && value.every((id) => Number.isSafeInteger(id))),
  },
  block_tokens: {
    what: 'a whole number of tokens, 1 or more',
    holds: (value) => isNone(value) || (isFrom(value, 1) && Number.isInteger(value)),
  },
  conversation: { what: 'a string', holds: (value) => isNone(value) || typeof value === 'string' },
  tenant: { what: 'a string', holds: (value) => isNone(value) || typeof value === 'string' },
  think: { what: 'seconds, 0 or more', holds: (value) => isNone(value) || isFrom(value, 0) },
  after: {
    what: 'the number of an earlier line, from 0',
    holds: (value, index) => isNone(value) || (isFrom(value, 0) && Number.isInteger(value) && value < index),
  },
};

function isNone(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isFrom(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= least;
}
