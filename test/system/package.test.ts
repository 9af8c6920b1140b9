// The package as users get it: packed, installed into a clean folder, and run from there with npx.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Installed, installPacked } from '../support/packed.ts';
import { root } from '../support/router-process.ts';

const run = promisify(execFile);
/** Building and installing take their time on a busy machine; this only ends what hangs. */
const timeoutMs = 240_000;

let folder = '';
let installed: Installed;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-package-'));
  installed = await installPacked(root, folder);
}, timeoutMs);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe(
  'the package',
  () => {
    it('has what it needs to run, and nothing of how it is made', () => {
      const { files } = installed;
      const folders = new Set(files.map((path) => path.split('/')[0]));
      expect(folders).toEqual(new Set(['README.md', 'config', 'dist', 'package.json']));
      expect(files.filter((path) => /\.test\.|\.ts$/.test(path))).toEqual([]);
      for (const path of ['dist/main.js', 'dist/redis/scripts/take.lua', 'config/fleet.schema.json'])
        expect(files).toContain(path);
    });

    it('has nothing in it that publint would warn of', async () => {
      const publint = join(root, 'node_modules/.bin/publint');
      const { stdout } = await run(publint, ['run', '--strict', installed.tarball]);
      expect(stdout).toContain('All good!');
    });

    it('says which version it is, wherever it is called', async () => {
      const { stdout } = await installed.npx('--version');
      const manifest: { readonly version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
      expect(stdout.trim()).toBe(manifest.version);
    });

    it('writes a first fleet file, finds it right, and serves it', async () => {
      const { stdout } = await installed.npx('init', '--yes');
      expect(stdout).toContain('Next: npx switchyard serve');
      const text = readFileSync(join(folder, 'fleet.yaml'), 'utf8');
      const [, schema = ''] = /\$schema=(\S+)/.exec(text) ?? [];
      expect(existsSync(join(folder, schema))).toBe(true);
      mkdirSync(join(folder, 'config'));
      await installed.npx('init', '--yes', '--output', 'config/fleet.yaml');
      const [, above = ''] = /\$schema=(\S+)/.exec(readFileSync(join(folder, 'config/fleet.yaml'), 'utf8')) ?? [];
      expect(above).toBe(`.${schema}`);
      expect((await installed.npx('check', '--strict')).stdout).toContain('fleet.yaml: valid');
      writeFileSync(
        join(folder, 'fleet.yaml'),
        'version: 1\nserver: { listen: 127.0.0.1:0 }\nbackends: [{ name: demo, engine: simulated }]\n',
      );
      const router = installed.start('serve', '--admin-listen', 'off');
      try {
        let said = '';
        while (!/Clients: +http:\/\/\S+/.test(said)) {
          const [chunk]: unknown[] = await once(router.stdout, 'data');
          said += String(chunk);
        }
        const [, url = ''] = /Clients: +(http:\/\/\S+)/.exec(said) ?? [];
        const answer = await fetch(`${url}/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'simulated-model', messages: [{ role: 'user', content: 'hi' }] }),
        });
        expect(answer.status).toBe(200);
        expect(answer.headers.get('x-switchyard-backend')).toBe('demo');
        await answer.text();
      } finally {
        router.kill('SIGINT');
        await once(router, 'exit');
      }
    });
  },
  timeoutMs,
);
