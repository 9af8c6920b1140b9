import { describe, expect, it } from 'vitest';
import { CallerGone } from '../../../src/admission/gone.ts';

describe('a caller that leaves', () => {
  it('is told to all that listen, once, and the first reason stands', () => {
    const gone = new CallerGone();
    let told = 0;
    const listener = () => void told++;
    const other = () => void (told += 10);
    gone.addEventListener('abort', listener);
    gone.addEventListener('abort', other);
    gone.removeEventListener('abort', other);
    gone.abort('first');
    gone.abort('second');
    expect({ told, aborted: gone.aborted, reason: gone.reason }).toEqual({ told: 1, aborted: true, reason: 'first' });
  });

  it('is told to the rest when one of them stops listening meanwhile', () => {
    const gone = new CallerGone();
    const told: string[] = [];
    const second = () => void told.push('second');
    gone.addEventListener('abort', () => {
      told.push('first');
      gone.removeEventListener('abort', second);
    });
    gone.addEventListener('abort', second);
    gone.abort();
    expect(told).toEqual(['first', 'second']);
  });
});
