// EndpointSlices as backends.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge, readSlice } from '../../../src/discovery/endpoint-slices.ts';
import { aSlice } from '../../support/fake-cluster.ts';

const wanted = (conditions: object) =>
  readSlice(aSlice('s', [{ host: '10.0.0.1', conditions }]), 80)?.found.map(({ isLeaving }) => isLeaving);

describe('an endpoint', () => {
  it.each([
    [{}, [false]],
    [{ ready: true }, [false]],
    [{ ready: true, serving: true, terminating: true }, [true]],
    [{ ready: false, serving: true, terminating: true }, [true]],
    [{ ready: false, serving: false, terminating: true }, []],
    [{ ready: false, serving: true, terminating: false }, []],
    [{ ready: false }, []],
  ])('with the conditions %j takes part as %j says: leaving or not, or not at all', (conditions, leaving) => {
    expect(wanted(conditions)).toEqual(leaving);
  });

  it('is called as its pod, else by its address, and has the port that is named', () => {
    const pods = [{ name: 'ollama-0', host: '10.0.0.1' }, { host: '10.0.0.2' }];
    const slice = aSlice('s', pods, [
      { name: 'metrics', port: 1 },
      { name: 'http', port: 8080 },
    ]);
    expect(readSlice(slice, 'http')?.found.map(({ name, host, port }) => [name, host, port])).toEqual([
      ['ollama-0', '10.0.0.1', 8080],
      ['10.0.0.2:8080', '10.0.0.2', 8080],
    ]);
    expect(readSlice(slice, 'other')?.found).toEqual([]);
    expect(readSlice(slice, 9000)?.found[0]?.port).toBe(9000);
  });

  it('that stands in several slices is one backend', () => {
    const leaving = aSlice('a', [
      { name: 'p', host: '10.0.0.1', conditions: { ready: false, serving: true, terminating: true } },
    ]);
    const slices = [
      leaving,
      aSlice('b', [{ name: 'p', host: 'fd00::1' }]),
      aSlice('c', [{ name: 'p', host: '10.0.0.2' }]),
    ];
    const found = merge(slices.flatMap((slice) => readSlice(slice, 80) ?? []));
    expect(found.map(({ name, host }) => [name, host])).toEqual([['p', '10.0.0.2']]);
  });
});

describe('what an API server sends', () => {
  it('may be anything without harm', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const object of [
          value,
          { metadata: { name: 's' }, endpoints: value, ports: value },
          { metadata: value },
        ]) {
          const slice = readSlice(object, 'http');
          if (slice !== undefined) merge([slice]);
        }
      }),
    );
    expect(readSlice(null, 80)).toBeUndefined();
  });
});
