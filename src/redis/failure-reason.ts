// Why Redis did not do what it was asked, as a word from a closed set: the label of a metric and a field of the log.

export class NoAnswerInTime extends Error {
  override readonly name = 'NoAnswerInTime';
}

const words = [
  ['readonly', /^(READONLY|MASTERDOWN)/],
  ['loading', /^(LOADING|BUSY|MISCONF)/],
  ['full', /^OOM/],
  ['access', /^(NOAUTH|WRONGPASS|NOPERM)|invalid username-password/],
  ['cluster', /^(MOVED|ASK|TRYAGAIN|CROSSSLOT|CLUSTERDOWN)|Cluster|slots cache/],
  ['timeout', /timed out|Socket timeout/],
  ['connection', /^(Connection|Stream|connect|read|write)|ECONN|EPIPE|max retries|isn't writeable/],
] as const;

export type FailureReason = (typeof words)[number][0] | 'other';

export function failureReason(thrown: unknown): FailureReason {
  if (thrown instanceof NoAnswerInTime) return 'timeout';
  const message = thrown instanceof Error ? thrown.message : '';
  return words.find(([, pattern]) => pattern.test(message))?.[0] ?? 'other';
}
