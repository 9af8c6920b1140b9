// Replaces byte ranges of a body and leaves every other byte as it was sent.
import type { Span } from './json-scan.ts';

export interface Splice extends Span {
  readonly bytes: Buffer;
}

/** Splices must not overlap; any order. Without splices the very same buffer comes back. */
export function splice(body: Buffer, splices: readonly Splice[]): Buffer {
  if (splices.length === 0) return body;
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, bytes } of splices.toSorted((a, b) => a.start - b.start)) {
    pieces.push(body.subarray(at, start), bytes);
    at = end;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}
