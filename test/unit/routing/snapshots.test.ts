// The snapshot that requests are resolved against, made anew when what it is made of has changed.
import { expect, it } from 'vitest';
import { createSnapshots, type Snapshot } from '../../../src/routing/snapshot.ts';

const aSnapshot = (pending: number): Snapshot => ({ pending }) as Snapshot;

it('is made once for however many changes, and only when somebody asks for it', () => {
  const snapshots = createSnapshots(aSnapshot(9));
  const made: number[] = [];
  const make = (pending: number) => () => {
    made.push(pending);
    return aSnapshot(pending);
  };
  for (const pending of [3, 2, 1]) snapshots.renew(make(pending));
  expect(made).toEqual([]);
  expect([snapshots.current().pending, snapshots.current().pending]).toEqual([1, 1]);
  expect(made).toEqual([1]);
});

it('is the one that was published, whatever was still to be made', () => {
  const snapshots = createSnapshots(aSnapshot(9));
  snapshots.renew(() => aSnapshot(1));
  snapshots.publish(aSnapshot(0));
  expect(snapshots.current().pending).toBe(0);
});
