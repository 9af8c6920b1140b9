import { describe, expect, it } from 'vitest';
import { Overload, type OverloadChange } from '../../../src/admission/overload.ts';

function watched() {
  const changes: OverloadChange[] = [];
  return { overload: new Overload((change) => changes.push(change)), changes };
}

describe('overload', () => {
  it('begins where a limit is reached, and is told once', () => {
    const { overload, changes } = watched();
    overload.update({ heap: 0.99 }, 0);
    expect(overload.shortOf).toBeUndefined();
    overload.update({ heap: 1 }, 100);
    overload.update({ heap: 1.2 }, 200);
    expect(overload.shortOf).toBe('heap');
    expect(changes).toEqual([{ resource: 'heap', isOver: true, load: 1 }]);
  });

  it('ends by itself, after a second in which less than four fifths were used', () => {
    const { overload, changes } = watched();
    overload.update({ buffered: 1 }, 0);
    overload.update({ buffered: 0.5 }, 100);
    overload.update({ buffered: 0.5 }, 1_099);
    expect(overload.isOver('buffered')).toBe(true);
    overload.update({ buffered: 0.5 }, 1_100);
    expect(overload.isOver('buffered')).toBe(false);
    expect(changes.at(-1)).toEqual({ resource: 'buffered', isOver: false, load: 0.5 });
  });

  it('goes on while what is used only dips, or stays right below the limit', () => {
    const { overload } = watched();
    overload.update({ heap: 1 }, 0);
    for (let ms = 500; ms <= 5_000; ms += 500) overload.update({ heap: ms % 1_000 === 0 ? 0.7 : 0.81 }, ms);
    expect(overload.shortOf).toBe('heap');
    for (let ms = 5_500; ms <= 10_000; ms += 500) overload.update({ heap: 0.81 }, ms);
    expect(overload.shortOf).toBe('heap');
  });

  it('lasts until there is enough of everything', () => {
    const { overload, changes } = watched();
    overload.update({ event_loop_delay: 4, open_files: 1 }, 0);
    overload.update({ open_files: 1 }, 1_000);
    overload.update({ open_files: 1 }, 2_000);
    expect(overload.shortOf).toBe('open_files');
    overload.update({}, 3_000);
    overload.update({}, 4_000);
    expect(overload.shortOf).toBeUndefined();
    expect(changes.map(({ resource, isOver }) => `${resource} ${isOver}`)).toEqual([
      'event_loop_delay true',
      'open_files true',
      'event_loop_delay false',
      'open_files false',
    ]);
  });

  it('is not made by what nobody knows, or what has no limit', () => {
    const { overload } = watched();
    overload.update({ heap: 5 / Infinity }, 0);
    overload.update({}, 100);
    expect(overload.shortOf).toBeUndefined();
  });
});
