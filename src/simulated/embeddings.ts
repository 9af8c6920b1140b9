// Unit vectors made from a hash of the input: equal inputs get equal vectors, and nearness means nothing.
import type { JsonObject } from '../wire/json-value.ts';
import { createHash } from 'node:crypto';
import { refuse, type Refusal, tokensIn } from './fields.ts';

const usualDimensions = 384;
const mostDimensions = 4096;
const mostInputs = 2048;

export function embed(body: JsonObject, model: string): JsonObject | Refusal {
  const { input, dimensions = usualDimensions, encoding_format: encoding } = body;
  const inputs = inputsOf(input);
  if (inputs === undefined) {
    return refuse(400, "'input' must be a text, a list of texts, a list of tokens or a list of such.", {
      param: 'input',
    });
  }
  if (
    typeof dimensions !== 'number' ||
    !Number.isInteger(dimensions) ||
    dimensions < 1 ||
    dimensions > mostDimensions
  ) {
    return refuse(400, `'dimensions' must be a whole number from 1 to ${mostDimensions}.`, { param: 'dimensions' });
  }
  const data = inputs.map((text, index) => {
    const vector = unitVector(text, dimensions);
    return { object: 'embedding', index, embedding: encoding === 'base64' ? base64(vector) : [...vector] };
  });
  const tokens = inputs.reduce((sum, text) => sum + tokensIn(text), 0);
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function inputsOf(input: unknown): readonly string[] | undefined {
  if (typeof input === 'string') return [input];
  if (isTokens(input)) return [JSON.stringify(input)];
  if (!Array.isArray(input) || input.length === 0 || input.length > mostInputs) return undefined;
  const texts = input.map((entry: unknown) =>
    typeof entry === 'string' ? entry : isTokens(entry) ? JSON.stringify(entry) : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'number');
}

function unitVector(text: string, dimensions: number): Float32Array {
  const bytes = createHash('shake256', { outputLength: dimensions * 4 })
    .update(text)
    .digest();
  const raw = Float64Array.from({ length: dimensions }, (_, index) => bytes.readInt32LE(index * 4) / 2 ** 31);
  const length = Math.hypot(...raw);
  return Float32Array.from(raw, (value) => value / length);
}

function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
