// The check of allocations as CI runs it, with a baseline of the test's own.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Baseline } from '../bench/allocations/judge.ts';
import { root } from '../support/router-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-baseline-'));
const file = join(folder, 'baseline.json');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the check of allocations', () => {
  it('passes against a baseline it has just written, and fails against one that is a fifth lower', async () => {
    expect((await check('--write')).output).toMatch(/\n4 passed, 0 failed\n$/);
    const { node, bytes }: Baseline = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ node, bytes: { ...bytes, plainHeap: bytes.plainHeap * 0.8 } }));
    const again = await check();
    expect(again.output).toMatch(/a plain request, heap .* more\n/);
    expect(again.output).toMatch(/\n3 passed, 1 failed\n$/);
    expect(again.code).toBe(1);
  });
});

function check(...options: readonly string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  const words = [join(root, 'test/bench/allocations/main.ts'), '--times', '1', '--baseline', file, ...options];
  return new Promise((resolve) =>
    execFile(process.execPath, words, { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    ),
  );
}
