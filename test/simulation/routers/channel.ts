// What routers tell each other: every `everyMs` each hands its news to all others, late, sometimes lost, and not at all while
// the channel is cut. A peer that has not been heard for `silenceMs` is forgotten.
import type { VirtualTime } from '../virtual-time.ts';
import type { Router } from './router.ts';

export interface ChannelSettings {
  readonly everyMs: number;
  readonly delayMs: number;
  /** Share of messages that are lost, 0 to 1. */
  readonly loss: number;
  readonly silenceMs: number;
  /** From when until when nothing gets through. */
  readonly cut?: readonly [fromMs: number, untilMs: number];
}

export const channelDefaults: ChannelSettings = { everyMs: 100, delayMs: 2, loss: 0, silenceMs: 2000 };

export interface ChannelParts {
  readonly routers: readonly Router[];
  readonly time: VirtualTime;
  readonly random: () => number;
  readonly settings: ChannelSettings;
}

export function openChannel({ routers, time, random, settings }: ChannelParts): void {
  const { everyMs, delayMs, loss, silenceMs, cut } = settings;
  const isCut = () => cut !== undefined && time.now() >= cut[0] && time.now() < cut[1];
  for (const [id, router] of routers.entries()) {
    const firstMs = (everyMs * (id + 1)) / routers.length;
    time.every(
      everyMs,
      () => {
        const news = router.news?.();
        if (news === undefined) return;
        for (const peer of routers) {
          if (peer === router || isCut() || random() < loss) continue;
          time.after(delayMs, () => news(peer));
        }
      },
      firstMs,
    );
  }
  if (cut === undefined) return;
  time.at(cut[0] + silenceMs, () => {
    if (!isCut()) return;
    for (const router of routers) for (const peer of routers.keys()) router.forget?.(peer);
  });
}
