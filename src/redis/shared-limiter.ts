// Limits that hold over all replicas: one script per admission, and while Redis does not answer what the fleet file says.
import { costs, differences, Ledger, type Reading } from '../access/ledger.ts';
import { type Cost, type Grant, grantOf, type LimitLevels, type RateLimiter, reservation } from '../access/limiter.ts';
import { isUnlimited, type Rules } from '../access/rules.ts';
import { ungranted, type Verdicts } from '../access/verdicts.ts';
import type { Clock } from '../clock.ts';
import type { SharedStateSettings } from '../fleet/shared-state.ts';
import { Leases } from './leases.ts';
import { type Call, LimitCalls, leaseMs, readTakeAnswer } from './limit-calls.ts';
import { Outbox } from './outbox.ts';
import { type Debt, Owed } from './owed.ts';
import type { ScriptName } from './script-files.ts';
import { deadlineMs, SharedState, type SharedStateObserver, type SharedStateParts } from './shared-state.ts';

export interface SharedLimiterParts {
  readonly clock: Clock;
  readonly verdicts: Verdicts;
  readonly observer: SharedStateObserver;
  /** What is known here, and what is gone by while Redis does not answer. Threads of one replica share it. */
  readonly ledger?: Ledger;
  /** Of all threads of one replica (`SharedStateParts`). */
  readonly replica?: string;
}

export interface SharedLimiter extends RateLimiter, LimitLevels {
  /** Resolves when Redis has answered, or has had its time to. */
  start(): Promise<void>;
  /** Sends what is left and lets go of Redis. */
  stop(): Promise<void>;
  /** What is held for requests that run, and what is still to be told to Redis; for tests. */
  held(): { readonly leases: number; readonly messages: number };
}

export function createSharedLimiter(settings: SharedStateSettings, parts: SharedLimiterParts): SharedLimiter {
  const { clock, verdicts, ledger = new Ledger(clock) } = parts;
  const { onFailure } = settings;
  const calls = new LimitCalls(settings.prefix);
  const leases = new Leases();
  const owed = new Owed(ledger);
  const state = new SharedState(settings, { ...parts, answers });
  const outbox = new Outbox(state.connection, (script, thrown) => state.failed(script, thrown));
  let cancelRenewal: (() => void) | undefined;

  return {
    async take({ caller, model, cost }) {
      const rules = caller.rules(model);
      if (isUnlimited(rules)) return ungranted;
      const reserved = reservation(rules, cost);
      const id = state.nextId();
      const reading = state.isOpen(rules.tenant) ? await askFor(rules, id, reserved) : undefined;
      if (reading === undefined) return takeAlone(rules, state.nextId(), reserved);
      mirror(rules, reading);
      if (!reading.granted) throw verdicts.refusal(rules, reserved, reading);
      ledger.hold(rules);
      return hold(rules, id, verdicts.granted(rules, reading), (actual) =>
        tell('settle', rules.tenant, calls.settle(rules, id, differences(rules, reserved, actual))),
      );
    },
    used: (rule) => ledger.used(rule),
    async start() {
      renewLater();
      await state.start();
    },
    async stop() {
      cancelRenewal?.();
      outbox.sendKept();
      await state.stop(outbox.idle());
    },
    held: () => ({ leases: leases.size, messages: outbox.kept }),
  };

  /** Undefined: no answer in time, or an error. */
  async function askFor(rules: Rules, id: string, cost: Cost): Promise<Reading | undefined> {
    const shard = state.shardOf(rules.tenant);
    const untilMs = clock.now() + deadlineMs;
    const call = (notAfterMs: number) => calls.take(rules, { id, cost, notAfterMs });
    const read = (answer: unknown) => readTakeAnswer(answer, rules);
    try {
      do {
        const sentMs = clock.now();
        const { outcome, reading, serverMs } = await state.ask(shard, { command: 'take', call, read });
        shard.time.learn({ sentMs, receivedMs: clock.now(), serverMs });
        if (outcome !== 'late') return reading;
        // In time for us, but late by its own clock: the clock has stepped, which is learnt now.
      } while (clock.now() < untilMs);
    } catch {
      // Counted and judged by the state. The script may have run, or still be going to: this comes behind it.
      tell('settle', rules.tenant, calls.settle(rules, id, differences(rules, cost, undefined)));
    }
    return undefined;
  }

  function takeAlone(rules: Rules, id: string, reserved: Cost): Grant {
    const { tenant } = rules;
    const share = 1 / state.shardOf(tenant).replicas;
    switch (onFailure) {
      case 'closed':
        throw verdicts.unavailable(rules);
      case 'open': {
        const nothing = { granted: true, used: rules.rates.map(() => 0), held: rules.leases.map(() => 0), share: 1 };
        ledger.hold(rules);
        return hold(rules, id, verdicts.granted(rules, nothing, onFailure), () => forget(rules, id));
      }
      case 'local': {
        const terms = { share, owed: !state.isOpen(tenant) };
        const reading = ledger.take(rules, reserved, terms);
        if (!reading.granted) throw verdicts.refusal(rules, reserved, reading, onFailure);
        tellLater(rules, costs(rules, reserved), terms);
        return hold(rules, id, verdicts.granted(rules, reading, onFailure), (actual) => {
          const amounts = differences(rules, reserved, actual);
          const atEnd = { share, owed: !state.isOpen(tenant) };
          ledger.book(rules, amounts, atEnd);
          tellLater(rules, amounts, atEnd);
          forget(rules, id);
        });
      }
      default:
        return onFailure satisfies never;
    }
  }

  /** Of what the ledger has booked. Not owed: one answer was missing, and Redis is still asked. */
  function tellLater(rules: Rules, amounts: readonly number[], { owed: isOwed }: { readonly owed: boolean }): void {
    if (isOwed) owed.note(rules);
    else charge({ ...rules, amounts });
  }

  /** What the ledger holds already: keeps its leases, and lets go of both at the end. */
  function hold(rules: Rules, id: string, shown: Pick<Grant, 'headers' | 'degraded'>, end: (actual?: Cost) => void) {
    const keys = calls.leases(rules);
    leases.add(rules.tenant, keys, id);
    return grantOf(shown, rules, (actual) => {
      ledger.release(rules);
      leases.delete(keys, id);
      end(actual);
    });
  }

  /** What this replica would go on from if Redis were gone the next moment. */
  function mirror(rules: Rules, { used }: Reading): void {
    const share = 1 / state.shardOf(rules.tenant).replicas;
    const own = used.map((level) => level * share);
    ledger.mirror(rules, own, share);
  }

  /** A lease that was not taken through Redis may have come there by being renewed. */
  function forget(rules: Rules, id: string): void {
    if (rules.leases.length === 0) return;
    const nothing = rules.rates.map(() => 0);
    tell('settle', rules.tenant, calls.settle(rules, id, nothing));
  }

  function charge(debt: Debt): void {
    const { tenant, rates, amounts } = debt;
    if (rates.length === 0) return;
    const owedAtMs = state.shardOf(tenant).time.latestAt(clock.now()) ?? 0;
    tell('charge', tenant, calls.charge(debt, { id: state.nextId(), amounts, owedAtMs }));
  }

  function tell(script: ScriptName, tenant: string, call: Call): void {
    const message = { tenant, script, call };
    if (state.isOpen(tenant)) outbox.send(message);
    else outbox.keep(message);
  }

  function answers({ anew, tenant }: Parameters<SharedStateParts['answers']>[0]): void {
    if (anew) {
      renew(tenant);
      for (const debt of owed.take(tenant)) charge(debt);
    }
    outbox.sendKept(tenant);
  }

  function renew(tenant?: string): void {
    leases.renew(state.connection, (thrown) => state.failed('renew', thrown), tenant);
  }

  function renewLater(): void {
    cancelRenewal = clock.after(leaseMs / 3, () => {
      renew();
      renewLater();
    });
  }
}
