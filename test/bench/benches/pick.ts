// The choice of a backend by itself.
import type { Figures, OwnBench } from '../bench.ts';
import { node } from '../measure.ts';
import { nameOf } from './backends.ts';

const sizes = [1, 10, 100, 1_000];

export const pick: OwnBench = {
  name: 'pick',
  about: 'who may take a request, in which order, and the slot: the functions alone, in a process of their own',
  columns: [{ key: 'micros', title: 'µs CPU' }],
  async run() {
    const rows: (readonly [string, Figures])[] = [];
    for (const backends of sizes) {
      const load = node('pick.ts', { backends, picks: Math.round(3_000_000 / (backends + 99)) });
      const [json] = await load.said(/\{"micros".*\}/);
      await load.ended;
      const figures: Figures = JSON.parse(json);
      rows.push([nameOf(backends), figures]);
    }
    return rows;
  },
};
