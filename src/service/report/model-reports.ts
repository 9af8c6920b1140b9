// The models of a FleetReport: who serves each, and who of them can take a request now.
import { combinedCapabilities, largestContext } from '../../fleet/catalogue.ts';
import type { MemberReport, ModelReport } from '../../fleet/report.ts';
import type { Target } from '../../routing/snapshot.ts';
import { whyUnusable } from '../../selection/eligible.ts';
import { isPanicking } from '../../selection/panic.ts';
import type { Candidate } from '../../selection/policy.ts';
import { inWords } from '../../selection/why.ts';

export interface ModelReportParts {
  readonly targets: ReadonlyMap<string, Target>;
  readonly queues: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

export function reportModels({ targets, queues, nowMs }: ModelReportParts): readonly ModelReport[] {
  return [...targets.values()].map((target) => {
    const { model, candidates, policy, queue } = target;
    const members = candidates.map((candidate) => reportMember(candidate, nowMs));
    const fallbacksFor = (cause: Parameters<Target['fallbacks']>[0]) =>
      target.fallbacks(cause).map((other) => other.model.name);
    return {
      name: model.name,
      aliases: model.aliases,
      policy: policy.name,
      capabilities: combinedCapabilities(model),
      context: largestContext(model) ?? null,
      members,
      available: members.filter(({ usable }) => usable).length,
      panic: isPanicking(candidates, target.panicRatio),
      queue: {
        length: queues.get(model.name) ?? 0,
        max_length: queue.maxLength,
        max_wait_seconds: queue.maxWaitMs / 1000,
      },
      fallback: { no_backend: fallbacksFor('no_backend'), overloaded: fallbacksFor('overloaded') },
    };
  });
}

function reportMember(candidate: Candidate, nowMs: number): MemberReport {
  const { backend, member, memberState } = candidate;
  const reason = whyUnusable(candidate, nowMs);
  return {
    backend: backend.name,
    name: member.name,
    weight: backend.weight,
    context: member.contextTokens ?? null,
    usable: reason === undefined,
    circuit: memberState.circuit.state,
    why: reason === undefined ? null : inWords(candidate, reason, { needs: [], contextTokens: 0 }, nowMs),
  };
}
