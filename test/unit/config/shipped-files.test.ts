// The fleet files in config/, and the verb that checks them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fleetSchema } from '../../../src/config/schema.ts';
import { valid } from './support.ts';

const root = new URL('../../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(`config/${name}`, root), 'utf8');

function keysOf(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodOptional) return keysOf(schema.unwrap());
  if (schema instanceof z.ZodArray) return keysOf(schema.element);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(keysOf);
  if (schema instanceof z.ZodRecord) return keysOf(schema.valueType);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

describe('the shipped fleet files', () => {
  it('are valid without a warning and without any variable set', () => {
    for (const name of ['fleet.yaml', 'fleet.example.yaml']) expect(valid(read(name)).warnings).toEqual([]);
  });

  it('show every field', () => {
    const text = read('fleet.example.yaml');
    expect(keysOf(fleetSchema).length).toBeGreaterThan(110);
    expect(keysOf(fleetSchema).filter((key) => !new RegExp(`(?:^|[ {])${key}:`, 'm').test(text))).toEqual([]);
  });

  it('start with two simulated backends that share a model, and one for embeddings', () => {
    const { fleet } = valid(read('fleet.yaml'));
    expect(fleet.backends.map(({ engine, simulate }) => [engine, simulate?.models])).toEqual([
      ['simulated', ['demo-chat']],
      ['simulated', ['demo-chat']],
      ['simulated', ['demo-embed']],
    ]);
  });
});

const run = (
  args: readonly string[],
  given: { readonly input?: string; readonly env?: Record<string, string> } = {},
) => {
  const script = `import { checkCommand } from './src/cli/check.ts'; await checkCommand().parseAsync(${JSON.stringify(args)}, { from: 'user' });`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: root,
    encoding: 'utf8',
    input: given.input ?? '',
    env: { PATH: process.env['PATH'], ...given.env },
  });
  return [ran.status, ran.stdout, ran.stderr] as const;
};

describe('switchyard check', () => {
  const open = 'version: 1\nserver: { listen: "0.0.0.0:8000" }\nbackends: [{ url: http://h:1 }]\n';

  it('prints one line for a valid file, which SWITCHYARD_CONFIG may name', () => {
    const line = 'config/fleet.example.yaml: valid: 3 backends, 1 group to be discovered, 1 model named, 0 warnings\n';
    expect(run(['config/fleet.example.yaml'])).toEqual([0, line, '']);
    expect(run([], { env: { SWITCHYARD_CONFIG: 'config/fleet.example.yaml' } })).toEqual([0, line, '']);
  });

  it('exits with 2 on errors, and with 1 on warnings only when told to be strict', () => {
    const warning =
      '<stdin>:2:19: warning: others can reach this address, and no key is asked for at server.listen (set auth.mode: keys or API_KEYS, or listen on 127.0.0.1)\n';
    expect(run(['-'], { input: 'version: 1\n' })[0]).toBe(2);
    expect(run(['-'], { input: open })).toEqual([0, '<stdin>: valid: 1 backend, 1 warning\n', warning]);
    expect(run(['-', '--strict'], { input: open })[0]).toBe(1);
  });

  it('prints JSON to standard output', () => {
    const [status, out] = run(['-', '--format', 'json'], { input: 'version: 1\n' });
    expect(status).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      file: '<stdin>',
      valid: false,
      problems: [{ line: 1, path: 'backends', message: 'required' }],
    });
  });
});
