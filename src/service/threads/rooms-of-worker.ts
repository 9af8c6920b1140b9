// The waiting room of one worker among those of the others.
import { Turns } from '../../admission/turns.ts';
import type { Clock } from '../../clock.ts';
import type { SharedRooms } from '../../workers/shared-rooms.ts';
import type { AmongOthers } from '../open-serving.ts';

export interface RoomOfWorkerParts {
  readonly worker: number;
  readonly rooms: SharedRooms;
  readonly clock: Clock;
  readonly numberOf: (model: string) => number | undefined;
}

/** `turn`: another one has passed it on. */
export function roomOfWorker({ worker, rooms, clock, numberOf }: RoomOfWorkerParts) {
  let turns: Turns | undefined;
  const among: AmongOthers = (wake) => {
    turns = new Turns({ clock, own: worker, rooms, wake });
    const mine = turns;
    return {
      freed: () => mine.freed(),
      others: {
        waiting(model) {
          const number = numberOf(model);
          return number === undefined ? 0 : rooms.waiting(number, worker);
        },
        show(model, length, sinceMs) {
          rooms.show(worker, numberOf(model), length);
          rooms.showAll(worker, sinceMs === undefined ? 0 : 1, sinceMs ?? 0);
        },
        passTurn: () => mine.freed(),
      },
    };
  };
  return {
    among,
    turn: (): void => {
      rooms.taken(worker);
      turns?.take();
    },
    stop: () => turns?.stop(),
  };
}
