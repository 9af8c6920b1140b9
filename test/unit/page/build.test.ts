import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../real/run.ts';
import { root } from '../../support/router-process.ts';

const committed = join(root, 'src/page/static');
const folder = mkdtempSync(join(tmpdir(), 'switchyard-page-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the committed files of the page', () => {
  it('are what its sources build (else: npm run build:page)', async () => {
    await run(process.execPath, [join(root, 'src/page/build.ts'), folder]);
    expect(readdirSync(folder).toSorted()).toEqual(readdirSync(committed).toSorted());
    const isOther = (name: string) => !readFileSync(join(folder, name)).equals(readFileSync(join(committed, name)));
    expect(readdirSync(folder).filter(isOther)).toEqual([]);
  });

  it('name nothing outside of the router, and no source map', () => {
    for (const name of readdirSync(committed)) {
      const text = readFileSync(join(committed, name), 'utf8').replaceAll('http://www.w3.org/', '');
      expect(text.match(/https?:\/\/[^"'`\s)]+|sourceMappingURL/g) ?? []).toEqual([]);
    }
  });
});
