import { describe, expect, it } from 'vitest';
import {
  formatAge,
  formatAgo,
  formatAt,
  formatCount,
  formatMany,
  formatMs,
  formatRate,
  formatShare,
} from '../../../src/page/format.ts';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_234, '1,234'],
    [99_999, '99,999'],
    [123_456, '123k'],
    [999_499, '999k'],
    [999_500, '1.00M'],
    [12_345_678, '12.3M'],
    [999_600_000, '1.00G'],
  ])('%i are counted as %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.04, '<0.1'],
    [0.34, '0.3'],
    [9.96, '10.0'],
    [12.4, '12'],
    [30_455.3, '30,455'],
  ])('%d per second reads %s', (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });

  it.each([
    [0, '0%'],
    [0.001, '<1%'],
    [0.414, '41%'],
    [0.999, '>99%'],
    [1, '100%'],
  ])('the share %d reads %s: little is not nothing, almost all not all', (share, text) => {
    expect(formatShare(share)).toBe(text);
  });

  it.each([
    [null, '–'],
    [0.4, '0 ms'],
    [180.4, '180 ms'],
    [1_240, '1.24 s'],
    [75_000, '75 s'],
  ])('%s milliseconds read %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });

  it('of one thing are singular', () => {
    expect([formatMany(0, 'request'), formatMany(1, 'request'), formatMany(1_200, 'request')]).toEqual([
      '0 requests',
      '1 request',
      '1,200 requests',
    ]);
  });
});

describe('times', () => {
  it.each([
    [-4_000, 'now'],
    [900, 'now'],
    [12_400, '12 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 m ago'],
    [7_200_000, '2 h ago'],
    [200_000_000, '2 d ago'],
  ])('%i ms back read %s', (ms, text) => {
    expect(formatAgo(ms)).toBe(text);
  });

  it('stand alone as an age', () => {
    expect([30, 90, 7_200].map(formatAge)).toEqual(['30 s', '1 m', '2 h']);
  });

  it('are absolute in UTC, and what is none stays as it is', () => {
    expect(formatAt('2026-11-24T20:42:13.500+01:00')).toBe('2026-11-24 19:42:13 UTC');
    expect(formatAt('yesterday')).toBe('yesterday');
  });
});
