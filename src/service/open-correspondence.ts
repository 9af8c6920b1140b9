// What the placements of several routers tell each other through Redis: opened by the first letter, which is written only where
// requests are placed that way.
import { randomUUID } from 'node:crypto';
import type { SharedStateSettings } from '../fleet/shared-state.ts';
import { type Channel, openChannel } from '../redis/channel.ts';
import { senderOf } from '../selection/placement/letters.ts';

export interface CorrespondenceParts {
  /** 8 hexadecimal digits that all names of this process begin with. */
  readonly process: string;
  /** From another process. */
  readonly heard: (letter: Uint8Array<ArrayBuffer>) => void;
  /** There are others, and they can't be heard; or they can again. */
  readonly cutOff: (cutOff: boolean) => void;
}

export interface Correspondence {
  readonly cutOff: boolean;
  publish(letter: Uint8Array): void;
  close(): void;
}

/** Undefined: there is nothing to meet at. */
export function openCorrespondence(
  settings: SharedStateSettings | undefined,
  { process, heard, cutOff }: CorrespondenceParts,
): Correspondence | undefined {
  if (settings === undefined) return undefined;
  let channel: Channel | undefined;
  let isCutOff = false;
  // As many as are expected, or somebody was heard.
  let hasOthers = settings.replicas > 1;
  const open = () =>
    openChannel(settings, 'placement', {
      heard(letter) {
        const sender = senderOf(letter);
        if (sender === undefined || sender.startsWith(process)) return;
        hasOthers = true;
        heard(letter);
      },
      changed(listening) {
        if (isCutOff === (!listening && hasOthers)) return;
        isCutOff = !isCutOff;
        cutOff(isCutOff);
      },
    });
  return {
    get cutOff() {
      return isCutOff;
    },
    publish(letter) {
      channel ??= open();
      channel.publish(letter);
    },
    close: () => channel?.close(),
  };
}

/** 8 hexadecimal digits. */
export function randomName(): string {
  return randomUUID().slice(0, 8);
}
