// Bytes as they may arrive: cut anywhere.
import fc from 'fast-check';

/** Places; those behind the end cut nothing, and two at one place give an empty piece. */
export type Cuts = readonly number[] | 'every byte';

export function cutAt(bytes: Buffer, cuts: Cuts): readonly Buffer[] {
  if (cuts === 'every byte') return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const places = [0, ...cuts.map((at) => Math.min(at, bytes.length)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

export const cutsOf: fc.Arbitrary<Cuts> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.nat(600), { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constant('every byte') },
);
