import { describe, expect, it } from 'vitest';
import type { StateChange } from '../../../src/redis/shared-state.ts';
import { SharedStateOfWorkers } from '../../../src/service/threads/shared-state-of-workers.ts';

const lost = { reason: 'timeout', detail: '' };

function setting() {
  const told: string[] = [];
  const state = new SharedStateOfWorkers(({ tenant, lost }) =>
    told.push(`${tenant ?? 'all'} ${lost === undefined ? 'up' : lost.reason}`),
  );
  const change = (worker: number, up: boolean, more: Partial<StateChange> = {}) =>
    state.heard(worker, { up, isNews: true, tenant: undefined, ...(up ? {} : { lost }), ...more });
  return { state, told, change };
}

describe('shared state that several workers ask', () => {
  it('is told of once when all have found it lost, and once when all have it back', () => {
    const { state, told, change } = setting();
    for (const up of [true, false, true]) for (const worker of [0, 1, 2]) change(worker, up);
    expect(told).toEqual(['all up', 'all timeout', 'all up']);
    expect(state.isUp).toBe(true);
  });

  it('is lost while one of them does without', () => {
    const { state, told, change } = setting();
    for (const worker of [0, 1]) change(worker, true);
    change(1, false);
    expect([state.isUp, told.at(-1)]).toEqual([false, 'all timeout']);
    change(1, true);
    expect([state.isUp, told.at(-1)]).toEqual([true, 'all up']);
  });

  it('is back when the only worker has died that it did not answer', () => {
    const { state, told, change } = setting();
    for (const worker of [0, 1]) change(worker, true);
    change(1, false);
    state.died(1);
    expect([state.isUp, told]).toEqual([true, ['all up', 'all timeout', 'all up']]);
  });

  it('is told of for each tenant that has a server of its own', () => {
    const { told, change } = setting();
    change(0, false, { tenant: 'a' });
    change(0, false, { tenant: 'b' });
    change(1, false, { tenant: 'b' });
    expect(told).toEqual(['a timeout', 'b timeout']);
  });

  it('is not told of where it is no news', () => {
    const { state, told, change } = setting();
    change(0, false, { isNews: false });
    expect([state.isUp, told]).toEqual([false, []]);
  });
});
