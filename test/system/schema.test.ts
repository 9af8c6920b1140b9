import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/router-process.ts';
import { systemTest } from './of-test.ts';

const { run } = systemTest();

describe('schema', () => {
  it('prints the file in config/, whatever stands in the way', async () => {
    const { code, stdout, stderr } = await run(['schema'], { env: { SWITCHYARD_CONFIG: '/no/such/file' }, cwd: '/' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(readFileSync(join(root, 'config/fleet.schema.json'), 'utf8'));
  });

  it('takes no arguments', async () => {
    expect(await run(['schema', 'fleet.yaml'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('too many arguments'),
    });
  });
});
