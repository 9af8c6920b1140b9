// The shipped rules and the example of a configuration, by Prometheus' own checker.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { run } from '../real/run.ts';
import { root } from '../support/router-process.ts';

const folder = join(root, 'deploy/prometheus');
const promtool = (...args: readonly string[]): Promise<string> => run(inject('promtoolBinary'), args);

describe('promtool', () => {
  it('finds nothing wrong with the rules', async () => {
    expect(await promtool('check', 'rules', join(folder, 'rules.yaml'))).toContain('SUCCESS: 20 rules found');
  });

  it('finds nothing wrong with the example of a configuration', async () => {
    expect(await promtool('check', 'config', join(folder, 'prometheus.yaml'))).toContain('valid prometheus config');
  });

  it.each(readdirSync(join(folder, 'tests')))(
    'sees every alert of %s fire, and stay silent, when it should',
    async (name) => {
      expect(await promtool('test', 'rules', join(folder, 'tests', name))).toContain('SUCCESS');
    },
  );
});
