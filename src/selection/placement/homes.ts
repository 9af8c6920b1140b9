// Where a prefix is at home: the two backends of most weight in a rendezvous that every router holds alike, without a word
// between them. Whoever joins or leaves moves its own share of the homes and no other.
// D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", 1998; with weights: J. Schindelhauer,
// G. Schomaker, "Weighted distributed hash tables", 2005.
import { finish } from './fingerprint.ts';

/** Weight over the logarithm of a draw: the larger, the nearer to home. `id`: see `Standing`. */
export function nearness(key: number, id: number, weight: number): number {
  return -weight / Math.log(drawOf(key, id));
}

/** Uniform in (0, 1). */
function drawOf(key: number, id: number): number {
  return (finish(key ^ Math.imul(id, 0x9e37_79b1)) + 0.5) / 4_294_967_296;
}

/** Positions in a list of the first and the second home; −1: there is none. */
export class Homes {
  first = -1;
  second = -1;

  /** `backends`: `count` dense indexes; `ids` and `weights` by those. */
  find(
    key: number,
    { backends, count }: { readonly backends: Int32Array; readonly count: number },
    { id, weight }: { readonly id: Uint32Array; readonly weight: Float64Array },
  ): void {
    this.first = this.second = -1;
    let [nearest, second] = [0, 0];
    for (let position = 0; position < count; position++) {
      const backend = backends[position] ?? 0;
      const draw = drawOf(key, id[backend] ?? 0);
      const heavy = weight[backend] ?? 1;
      // −ln x ≥ 1 − x: most are out of the question before the logarithm.
      if (heavy < second * (1 - draw)) continue;
      const near = -heavy / Math.log(draw);
      if (near > nearest) {
        [this.second, second] = [this.first, nearest];
        [this.first, nearest] = [position, near];
      } else if (near > second) {
        [this.second, second] = [position, near];
      }
    }
  }
}
