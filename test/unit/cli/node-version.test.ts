import { describe, expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { whyTooOld } from '../../../src/cli/node-version.ts';

describe('a version of Node.js', () => {
  it.each(['22.22.0', '22.30.1', '24.0.0', '24.21.0', '26.0.0', '27.1.0'])('%s will do', (version) => {
    expect(whyTooOld(version)).toBeUndefined();
  });

  it.each(['18.20.0', '20.20.2', '22.21.9', '23.11.0', '25.1.0'])('%s is told what is needed', (version) => {
    expect(whyTooOld(version)).toMatch(new RegExp(`needs Node\\.js 24.*; this is ${version}\\.\n$`));
  });

  it('is asked for as the package does', () => {
    expect(manifest.engines.node).toBe('^22.22 || ^24 || >=26');
  });
});
