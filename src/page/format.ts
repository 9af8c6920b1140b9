// Numbers and times as people read them. Units and words as in the metrics and the CLI; no locale but English.
export const nothing = '–';

/** 1234 → `1,234`, 1234567 → `1.23M`. */
export function formatCount(count: number): string {
  if (count < 100_000) return group(Math.round(count));
  const [size, letter] = count < 999_500 ? [1e3, 'k'] : count < 999_500_000 ? [1e6, 'M'] : [1e9, 'G'];
  return `${shorten(count / size)}${letter}`;
}

/** Per second: below ten one digit behind the point, so that a quiet fleet does not read as a dead one. */
export function formatRate(rate: number): string {
  if (rate === 0) return '0';
  if (rate < 0.1) return '<0.1';
  return rate < 10 ? rate.toFixed(1) : formatCount(rate);
}

/** 0.414 → `41%`; little is never shown as nothing, nor almost all as all. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return '<1%';
  if (share < 1 && share > 0.99) return '>99%';
  return `${Math.round(share * 100)}%`;
}

export function formatMs(ms: number | null): string {
  if (ms === null) return nothing;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 10_000 ? `${(ms / 1_000).toFixed(2)} s` : `${group(Math.round(ms / 1_000))} s`;
}

/** `now`, `12 s ago`, `3 m ago`, `5 h ago`, `2 d ago`. A clock that is a little ahead is no future. */
export function formatAgo(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return seconds < 1 ? 'now' : `${formatAge(seconds)} ago`;
}

export function formatAge(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `2026-11-24 19:42:13 UTC`, as in the log; the text itself where it is no time. */
export function formatAt(at: string): string {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? at : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `1 request`, `2 requests`. */
export function formatMany(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function group(whole: number): string {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ',');
}

function shorten(size: number): string {
  return size < 10 ? size.toFixed(2) : size < 100 ? size.toFixed(1) : String(Math.round(size));
}
