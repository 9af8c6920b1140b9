// Why Redis did not do what it was asked, as a word from a closed set: the label of a metric and a field of the log.

export class NoAnswerInTime extends Error {
  override readonly name = 'NoAnswerInTime';
}

/** An answer that no script of ours gives. */
export class Nonsense extends Error {
  override readonly name = 'Nonsense';
}

// In this order: what is special stands before what contains it.
const words = [
  ['access', /^(NOAUTH|WRONGPASS|NOPERM)|invalid username-password|can't run this command|No permissions/],
  ['readonly', /^(READONLY|MASTERDOWN)/],
  ['loading', /^(LOADING|BUSY|MISCONF)/],
  ['full', /^OOM/],
  ['tls', /certificate|self-signed|ERR_TLS|SSL|wrong version number/i],
  ['sentinel', /sentinel/i],
  ['cluster', /^(MOVED|ASK|TRYAGAIN|CROSSSLOT|CLUSTERDOWN)|Cluster|slots cache/],
  ['timeout', /timed out|Socket timeout/],
  ['connection', /^(Connection|Stream|connect|read|write|getaddrinfo)|ECONN|EPIPE|max retries|isn't writeable/],
] as const;

export type FailureReason = (typeof words)[number][0] | 'nonsense' | 'other';

export function failureReason(thrown: unknown): FailureReason {
  if (thrown instanceof NoAnswerInTime) return 'timeout';
  if (thrown instanceof Nonsense) return 'nonsense';
  const message = thrown instanceof Error ? thrown.message : '';
  return words.find(([, pattern]) => pattern.test(message))?.[0] ?? 'other';
}

/** Whether it tells about the server, not about this one command: a counter that somebody has broken is its tenant's trouble. */
export function concernsTheServer(reason: FailureReason): boolean {
  return reason !== 'other';
}
