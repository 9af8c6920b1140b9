// How long ago something was, as people say it: `8 s ago`, `2 m ago`.

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const;

/** `at`: RFC 3339. A moment that is still to come is now: clocks of two machines differ. */
export function ago(at: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(at)) / 1_000);
  if (Number.isNaN(seconds)) return '-';
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? (['s', 1] as const);
  return `${Math.max(0, Math.floor(seconds / size))} ${unit} ago`;
}
