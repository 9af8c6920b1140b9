import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

const overload = (fields: string) => fleetWith(`server: { overload: { ${fields} } }\n`);

describe('server.overload', () => {
  it('takes a limit of each kind, and leaves the others as they are', () => {
    const { fleet } = valid(overload('event_loop_delay: 2s, heap: 0.8, open_files: 1, buffered: 64MiB'));
    expect(fleet.server.overload).toEqual({
      eventLoopDelayMs: 2_000,
      heapRatio: 0.8,
      openFilesRatio: 1,
      bufferedBytes: 67_108_864,
    });
    expect(valid(overload('heap: 0.5')).fleet.server.overload).toMatchObject({
      eventLoopDelayMs: 1_000,
      heapRatio: 0.5,
    });
  });

  it('takes `off` for each of them, also out of a variable', () => {
    const text = overload('event_loop_delay: off, heap: "${OFF}", open_files: off, buffered: off');
    const { fleet } = valid(text, { env: { OFF: 'off' } });
    expect(new Set(Object.values(fleet.server.overload))).toEqual(new Set([Infinity]));
    const part = fleetWith('server:\n  overload:\n    heap: ${PART}\n');
    expect(valid(part, { env: { PART: '0.7' } }).fleet.server.overload.heapRatio).toBe(0.7);
    expect(valid(part, { env: { PART: 'off' } }).fleet.server.overload.heapRatio).toBe(Infinity);
  });

  it.each([
    [
      overload('heap: 90'),
      'fleet.yaml:4:29: error: expected a part above 0 and at most 1, or off at server.overload.heap',
    ],
    [
      overload('open_files: 0'),
      'fleet.yaml:4:35: error: expected a part above 0 and at most 1, or off at server.overload.open_files',
    ],
    [
      overload('event_loop_delay: 5ms'),
      'fleet.yaml:4:41: error: must be at least 100ms, or off at server.overload.event_loop_delay',
    ],
    [
      overload('event_loop_delay: 500'),
      'fleet.yaml:4:41: error: expected text, found a number at server.overload.event_loop_delay (add a unit: 250ms, 20s, 5m, 1h)',
    ],
    [
      overload('buffered: 1000'),
      'fleet.yaml:4:33: error: expected text, found a number at server.overload.buffered (add a unit: 512KiB, 8MiB, 1GB)',
    ],
    [
      overload('buffered: 16MiB'),
      'fleet.yaml:4:33: error: max_body is above overload.buffered at server.overload.buffered (a body of that size could never be let in)',
    ],
  ])('is refused where it makes no sense: %j', (text, problem) => {
    expect(said(text)).toEqual([problem]);
  });

  it('has room for the largest body, unless there is no limit', () => {
    expect(said(fleetWith('server: { max_body: 64KiB, overload: { buffered: 1MiB } }\n'))).toEqual([]);
    expect(said(overload('buffered: off'))).toEqual([]);
  });
});
