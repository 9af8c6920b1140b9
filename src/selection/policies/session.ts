// A conversation stays where it is: at the backend that a rendezvous over its key names, the same on every router, or at the
// next one of that order while this one has more than its share. Whoever names no conversation goes by connections.
// V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent hashing with bounded loads", 2016.
import { nearness } from '../placement/homes.ts';
import { hashOfText } from '../placement/fingerprint.ts';
import { sessionKey } from '../placement/job.ts';
import { opening } from '../placement/opening.ts';
import { type Ask, type Candidate, connectionCost, type PolicyMaker, type PolicyParts, weightOf } from '../policy.ts';
import { leastConnections } from './least-connections.ts';

/** How much more than the mean one may have for its weight. */
const bound = 1.25;

export const session: PolicyMaker = (parts) => {
  const otherwise = leastConnections(parts);
  return {
    name: 'session',
    goesBy: 'where its conversation is at home, as long as that has no more than 1.25 of its share',
    score: (candidate) => connectionCost(candidate, parts),
    rank(candidates, ask) {
      const key = keyOf(ask);
      if (key === 0 || candidates.length === 1) return otherwise.rank(candidates, ask);
      const most = bound * meanCost(candidates, parts);
      return candidates
        .map((candidate) => ({
          candidate,
          isOver: Number(connectionCost(candidate, parts) > most),
          near: nearness(key, hashOfText(candidate.backend.name), candidate.backend.weight),
        }))
        .toSorted((a, b) => a.isOver - b.isOver || b.near - a.near)
        .map(({ candidate }) => candidate);
    },
  };
};

/** As it is named; else what the conversation begins with, up to the first question. 0: there is neither. */
function keyOf({ tenant, fields, body }: Ask): number {
  if (fields.session !== undefined) return sessionKey(tenant, fields.session);
  const begins = fields.spans.prompt === undefined ? undefined : opening(body, fields.spans.prompt);
  return begins === undefined ? 0 : hashOfText(begins) || 1;
}

/** Of all of them together, with the request that is to come. */
function meanCost(candidates: readonly Candidate[], { inFlight, clock }: PolicyParts): number {
  const nowMs = clock.now();
  let [requests, weight] = [1, 0];
  for (const candidate of candidates) {
    requests += inFlight.read(candidate.state.index);
    weight += weightOf(candidate, nowMs);
  }
  // What one has at least when the request is there, however few there are.
  return Math.max(1, requests / weight);
}
