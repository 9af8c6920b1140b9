// What a test told a scripted engine to do, request by request.
import type { Behaviour } from './behaviours.ts';
import type { JournalEntry } from './journal.ts';

/** Always the same, or one after the other and then the engine's default, or as a function says; `n` counts from 1. */
export type Script = Behaviour | readonly Behaviour[] | ((request: JournalEntry, n: number) => Behaviour | undefined);

export type Scripted = (request: JournalEntry) => Behaviour | undefined;

export function scripted(script: Script): Scripted {
  let n = 0;
  return (request) => {
    n += 1;
    if (typeof script === 'function') return script(request, n);
    return 'kind' in script ? script : script[n - 1];
  };
}
