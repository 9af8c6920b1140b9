import type { LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { rememberingLookup } from '../../../src/upstream/remembered-names.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** A name server that answers with an address, or fails with a code. */
function named(...answers: readonly string[]) {
  const left = [...answers];
  const lookup: LookupFunction = (_hostname, _options, done) => {
    const answer = left.shift() ?? 'ENOTFOUND';
    if (/^\d/.test(answer)) done(null, answer, 4);
    else done(Object.assign(new Error(answer), { code: answer }), '');
  };
  const clock = fakeClock();
  const remembering = rememberingLookup(clock, lookup);
  const ask = (hostname = 'box', family = 4) =>
    new Promise<unknown>((resolve) => {
      remembering(hostname, { family }, (error, address) => resolve(error?.code ?? address));
    });
  return { clock, ask };
}

describe('a name', () => {
  it('that can be looked up is, every time', async () => {
    const { ask } = named('10.0.0.1', '10.0.0.2');
    expect([await ask(), await ask()]).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('keeps its last good address for a minute when it can’t be looked up', async () => {
    const { ask, clock } = named('10.0.0.1', 'EAI_AGAIN', 'ENOTFOUND', 'EAI_AGAIN');
    await ask();
    clock.advance(59_999);
    expect([await ask(), await ask()]).toEqual(['10.0.0.1', '10.0.0.1']);
    clock.advance(2);
    expect(await ask()).toBe('EAI_AGAIN');
  });

  it('that was never found fails as it does, and so does another question about it', async () => {
    const { ask } = named('EAI_AGAIN', '10.0.0.1', 'EAI_AGAIN', 'EAI_AGAIN');
    expect(await ask()).toBe('EAI_AGAIN');
    await ask();
    expect([await ask('other'), await ask('box', 6)]).toEqual(['EAI_AGAIN', 'EAI_AGAIN']);
  });
});
