// Public traces → the common format. Lengths and block names only; no trace holds any text.
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { readText } from './read.ts';
import type { TraceLine } from './trace.ts';

const mooncakeBlockTokens = 512;

interface MooncakeLine {
  readonly timestamp: number;
  readonly input_length: number;
  readonly output_length: number;
  readonly hash_ids: readonly number[];
}

/** One format → its reader. */
export const converters = {
  /** `kvcache-ai/Mooncake:FAST25-release/traces/*.jsonl`: timestamps in milliseconds, one id per block of 512 tokens. */
  mooncake: (text: string): readonly TraceLine[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { timestamp, input_length, output_length, hash_ids } = JSON.parse(line) as MooncakeLine;
        return {
          at: timestamp / 1000,
          input: input_length,
          output: output_length,
          blocks: hash_ids,
          block_tokens: mooncakeBlockTokens,
        };
      }),
  /** `Azure/AzurePublicDataset:data/AzureLLMInferenceTrace_*.csv`: TIMESTAMP, ContextTokens, GeneratedTokens. */
  azure: (text: string): readonly TraceLine[] => {
    const rows = text.trimEnd().split('\n').slice(1);
    const startMs = azureMs(rows[0] ?? '');
    return rows.map((row) => {
      const [, input, output] = row.split(',');
      const at = Math.round(azureMs(row) - startMs) / 1000;
      return { at, input: Number(input), output: Number(output) };
    });
  },
} satisfies Record<string, (text: string) => readonly TraceLine[]>;

/** `2023-11-16 18:17:03.9799600,…`, in UTC. */
function azureMs(row: string): number {
  return Date.parse(`${row.slice(0, 23).replace(' ', 'T')}Z`);
}

export interface Conversion {
  readonly format: string;
  readonly from: string;
  readonly to: string;
  /** Only so many, from the start. */
  readonly first?: number;
}

/** How many requests were written. Gzipped when the name says so. */
export function convert({ format, from, to, first }: Conversion): number {
  if (!isFormat(format)) throw new Error(`${format}: known formats are ${Object.keys(converters).join(', ')}`);
  const lines = converters[format](readText(from)).slice(0, first);
  const text = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
  writeFileSync(to, to.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text);
  return lines.length;
}

function isFormat(name: string): name is keyof typeof converters {
  return Object.hasOwn(converters, name);
}
