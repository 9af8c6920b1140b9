// Limits that hold over all replicas: one script per admission, and while Redis does not answer what the fleet file says.
import { costs, differences, Ledger, type Reading } from '../access/ledger.ts';
import { type Cost, type Grant, grantOf, type RateLimiter, reservation } from '../access/limiter.ts';
import { isUnlimited, type Rules } from '../access/rules.ts';
import { ungranted, type Verdicts } from '../access/verdicts.ts';
import type { Clock } from '../clock.ts';
import type { SharedStateSettings } from '../fleet/fleet.ts';
import { type Call, Counters, leaseMs, readTakeAnswer } from './counters.ts';
import { Leases } from './leases.ts';
import { Owed } from './owed.ts';
import type { ScriptName } from './script-files.ts';
import { Settlements } from './settlements.ts';
import { deadlineMs, SharedState, type SharedStateObserver } from './shared-state.ts';

export interface SharedLimiterParts {
  readonly clock: Clock;
  readonly verdicts: Verdicts;
  readonly observer: SharedStateObserver;
}

export interface SharedLimiter extends RateLimiter {
  /** Resolves when Redis has answered, or has had its time to. */
  start(): Promise<void>;
  /** Sends what is left and lets go of Redis. */
  stop(): Promise<void>;
  /** What is held for requests that run; for tests. */
  held(): { readonly leases: number; readonly settlements: number };
}

export function createSharedLimiter(settings: SharedStateSettings, parts: SharedLimiterParts): SharedLimiter {
  const { clock, verdicts, observer } = parts;
  const { onFailure, prefix } = settings;
  const counters = new Counters(prefix);
  const ledger = new Ledger(clock);
  const leases = new Leases();
  const owed = new Owed(ledger, counters);
  const state = new SharedState(settings, { clock, observer, restore });
  const settlements = new Settlements(state.connection, (thrown) => state.failed('settle', thrown));
  let cancelRenewal: (() => void) | undefined;

  return {
    async take({ caller, model, cost }) {
      const rules = caller.rules(model);
      if (isUnlimited(rules)) return ungranted;
      const reserved = reservation(rules, cost);
      const id = state.nextId();
      const reading = state.isOpen ? await askFor(rules, id, reserved) : undefined;
      if (reading === undefined) return takeAlone(rules, state.nextId(), reserved);
      const share = shareNow();
      ledger.mirror(
        rules,
        reading.used.map((used) => used * share),
      );
      if (!reading.granted) throw verdicts.refusal(rules, reserved, reading);
      return hold(rules, id, verdicts.granted(rules, reading), (actual) =>
        send(counters.settle(rules, id, differences(rules, reserved, actual))),
      );
    },
    async start() {
      renewLater();
      await state.start();
    },
    async stop() {
      cancelRenewal?.();
      await state.stop(settlements.idle());
    },
    held: () => ({ leases: leases.size, settlements: settlements.kept }),
  };

  /** Undefined: no answer in time, or an error. */
  async function askFor(rules: Rules, id: string, cost: Cost): Promise<Reading | undefined> {
    const untilMs = clock.now() + deadlineMs;
    try {
      do {
        const sentMs = clock.now();
        const call = (notAfterMs: number) => counters.take(rules, { id, cost, notAfterMs });
        const answer = readTakeAnswer(await state.ask('take', rules.tenant, call), rules);
        state.learnTime(rules.tenant, sentMs, answer.serverMs);
        if (answer.outcome !== 'late') return answer.reading;
        // In time for us, but late by its own clock: the clock has stepped, which is learnt now.
      } while (clock.now() < untilMs);
    } catch {
      // Counted and judged by the state. The script may have run, or still be going to: this comes behind it.
      send(counters.settle(rules, id, differences(rules, cost, undefined)));
    }
    return undefined;
  }

  function takeAlone(rules: Rules, id: string, reserved: Cost): Grant {
    const share = shareNow();
    switch (onFailure) {
      case 'closed':
        throw verdicts.unavailable(rules);
      case 'open': {
        const nothing = { granted: true, used: rules.rates.map(() => 0), held: rules.leases.map(() => 0), share: 1 };
        return hold(rules, id, verdicts.granted(rules, nothing, onFailure), () => forget(rules, id));
      }
      case 'local': {
        if (!state.isOpen) owed.note(rules, share);
        const reading = ledger.take(rules, reserved, share);
        if (!reading.granted) throw verdicts.refusal(rules, reserved, reading, onFailure);
        // One answer was missing, and Redis is still asked.
        if (state.isOpen) charge(rules, costs(rules, reserved));
        ledger.release(rules);
        return hold(rules, id, verdicts.granted(rules, reading, onFailure), (actual) => {
          const deltas = differences(rules, reserved, actual);
          if (state.isOpen) charge(rules, deltas);
          else owed.note(rules, share);
          ledger.book(rules, deltas, share);
          forget(rules, id);
        });
      }
      default:
        return onFailure satisfies never;
    }
  }

  function hold(rules: Rules, id: string, shown: Pick<Grant, 'headers' | 'degraded'>, end: (actual?: Cost) => void) {
    const keys = counters.leases(rules);
    ledger.hold(rules);
    leases.add(keys, id);
    return grantOf(shown, rules, (actual) => {
      ledger.release(rules);
      leases.delete(keys, id);
      end(actual);
    });
  }

  /** A lease that was not taken through Redis may have come there by being renewed. */
  function forget(rules: Rules, id: string): void {
    if (rules.leases.length > 0)
      send(
        counters.settle(
          rules,
          id,
          rules.rates.map(() => 0),
        ),
      );
  }

  function send(call: Call): void {
    if (state.isOpen) settlements.send(call);
    else settlements.keep(call);
  }

  function run(command: ScriptName, { keys, args }: Call): void {
    state.connection.run(command, keys, args).catch((thrown: unknown) => state.failed(command, thrown));
  }

  function charge({ rates }: Rules, amounts: readonly number[]): void {
    if (rates.length > 0) run('charge', counters.charge(rates, amounts));
  }

  function restore(): void {
    void leases.renew(state.connection);
    for (const call of owed.take(clock.now())) run('charge', call);
    settlements.sendKept();
  }

  function renewLater(): void {
    cancelRenewal = clock.after(leaseMs / 3, () => {
      if (state.isOpen) void leases.renew(state.connection);
      renewLater();
    });
  }

  function shareNow(): number {
    return 1 / state.replicas;
  }
}
