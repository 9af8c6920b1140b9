import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldBytes, type Holding } from '../../../src/admission/held-bytes.ts';

describe('the bytes that are held', () => {
  it('are as many as there is room for, and room again once released', () => {
    const bytes = new HeldBytes(100);
    const first = bytes.take('a', 60);
    expect(bytes.take('b', 41)).toBeUndefined();
    const second = bytes.take('b', 40);
    expect(bytes.total).toBe(100);
    first?.release();
    second?.release();
    expect([bytes.held, bytes.tenants]).toEqual([0, 0]);
  });

  it('grow as more comes than was announced, as long as there is room', () => {
    const bytes = new HeldBytes(100);
    const holding = bytes.take('a', 0);
    expect(holding?.grow(70)).toBe(true);
    expect(holding?.grow(31)).toBe(false);
    expect(bytes.held).toBe(70);
    holding?.release();
    expect(holding?.grow(1)).toBe(false);
    holding?.release();
    expect(bytes.held).toBe(0);
  });

  it('leave less room where answers wait for their callers', () => {
    const bytes = new HeldBytes(100);
    bytes.queued = 90;
    expect(bytes.take('a', 11)).toBeUndefined();
    expect(bytes.take('a', 10)).toBeDefined();
  });

  it('of one tenant leave a fifth for the others', () => {
    const bytes = new HeldBytes(100);
    let taken = 0;
    while (bytes.take('flood', 1) !== undefined) taken++;
    expect(taken).toBe(80);
    expect(bytes.take('other', 20)).toBeDefined();
  });

  it('may all be of one request', () => {
    expect(new HeldBytes(100).take('a', 100)).toBeDefined();
    expect(new HeldBytes(Infinity).take('a', 1e12)).toBeDefined();
  });

  it('are within the limit and add up, whatever happens in which order', () => {
    const step = fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat(60), what: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bytes = new HeldBytes(100);
        const open: { readonly holding: Holding; held: number }[] = [];
        for (const { tenant, bytes: size, what } of steps) {
          const last = open.at(-1);
          if (what === 0 || last === undefined) {
            const holding = bytes.take(tenant, size);
            if (holding !== undefined) open.push({ holding, held: size });
          } else if (what === 1) {
            if (last.holding.grow(size)) last.held += size;
          } else {
            last.holding.release();
            open.pop();
          }
          expect(bytes.held).toBe(open.reduce((sum, { held }) => sum + held, 0));
          expect(bytes.held).toBeLessThanOrEqual(100);
        }
        for (const { holding } of open) holding.release();
        expect([bytes.held, bytes.tenants]).toEqual([0, 0]);
      }),
    );
  });
});
