// How long ago something was, kept true by one timer for all. The absolute time is in the title.
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { formatAgo, formatAt } from './format.ts';

/** The router's clock as far as it is known here. */
export interface RouterClock {
  aheadMs: number;
}

export const RouterTime = createContext<RouterClock>({ aheadMs: 0 });

const listeners = new Set<() => void>();
let timer: number | undefined;

/** Calls back about once a second. Returns what ends it. */
export function onTick(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => listeners.forEach((tick) => tick()), 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

export function Ago({ at }: { readonly at: string }) {
  const clock = useContext(RouterTime);
  const read = () => formatAgo(Date.now() + clock.aheadMs - Date.parse(at));
  const [, setText] = useState(read);
  useEffect(() => onTick(() => setText(read())), [at]);
  return (
    <time dateTime={at} title={formatAt(at)}>
      {read()}
    </time>
  );
}
