import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { root } from './places.ts';

interface Copies {
  readonly copies: () => Readonly<Record<string, string>>;
  readonly dashboardCopies: string;
}

describe('files that stand in a second place', () => {
  it('say what the first one says; if not: npm run deploy:copies', async () => {
    const module: Copies = await import(pathToFileURL(join(root, 'deploy/copies.mjs')).href);
    const wanted = module.copies();
    const read = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined);
    expect(Object.entries(wanted).flatMap(([path, text]) => (read(path) === text ? [] : [path]))).toEqual([]);
    const boards = existsSync(join(root, module.dashboardCopies))
      ? readdirSync(join(root, module.dashboardCopies))
      : [];
    expect(boards.map((name) => `${module.dashboardCopies}/${name}`).filter((path) => !(path in wanted))).toEqual([]);
  });
});
