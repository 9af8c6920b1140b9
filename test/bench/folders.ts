// Where everything of benchmarks goes.
import { join, resolve } from 'node:path';

export const cache = join(resolve(import.meta.dirname, '../..'), '.cache', 'bench');
