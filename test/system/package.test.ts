// The package as users get it: packed, installed into a clean folder, and run from there with npx.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/router-process.ts';

const run = promisify(execFile);
/** Building and installing take their time on a busy machine; this only ends what hangs. */
const timeoutMs = 240_000;

let folder = '';
let files: readonly string[] = [];
/** Without what npm tells of its own run, and without what this machine has set for a router. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|SWITCHYARD_|OPENAI_|API_KEYS$|VITEST)/i.test(name),
  ),
);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-package-'));
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, env });
  const from = packed.stdout.indexOf('[\n');
  const told: readonly { readonly files: readonly { readonly path: string }[] }[] = JSON.parse(
    packed.stdout.slice(from),
  );
  files = told[0]?.files.map(({ path }) => path) ?? [];
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', ['install', ...quiet, `./${tarball}`], { cwd: folder, env });
}, timeoutMs);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const npx = (...args: readonly string[]) => run('npx', ['--no-install', 'switchyard', ...args], { cwd: folder, env });

describe(
  'the package',
  () => {
    it('has what it needs to run, and nothing of how it is made', () => {
      const folders = new Set(files.map((path) => path.split('/')[0]));
      expect(folders).toEqual(new Set(['README.md', 'config', 'dist', 'package.json']));
      expect(files.filter((path) => /\.test\.|\.ts$/.test(path))).toEqual([]);
      for (const path of ['dist/main.js', 'dist/redis/scripts/take.lua', 'config/fleet.schema.json'])
        expect(files).toContain(path);
    });

    it('says which version it is, wherever it is called', async () => {
      const { stdout } = await npx('--version');
      const manifest: { readonly version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
      expect(stdout.trim()).toBe(manifest.version);
    });

    it('writes a first fleet file, finds it right, and serves it', async () => {
      const { stdout } = await npx('init', '--yes');
      expect(stdout).toContain('Next: npx switchyard serve');
      const text = readFileSync(join(folder, 'fleet.yaml'), 'utf8');
      const [, schema = ''] = /\$schema=(\S+)/.exec(text) ?? [];
      expect(existsSync(join(folder, schema))).toBe(true);
      expect((await npx('check', '--strict')).stdout).toContain('fleet.yaml: valid');
      writeFileSync(
        join(folder, 'fleet.yaml'),
        'version: 1\nserver: { listen: 127.0.0.1:0 }\nbackends: [{ name: demo, engine: simulated }]\n',
      );
      const bin = join(folder, 'node_modules/.bin/switchyard');
      const router = spawn(bin, ['serve', '--admin-listen', 'off'], { cwd: folder, env });
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
