// Asks the router for its report again and again, and knows how old the last answer is. Never gives up: what answers again
// is shown again.
import type { FleetReport } from '../fleet/report.ts';
import { keepReport } from './keep.ts';
import { addSample, type Sample } from './samples.ts';

export interface Feed {
  readonly report: FleetReport | undefined;
  /** Of the clock of this browser. */
  readonly answeredAtMs: number | undefined;
  /** Why the last poll brought nothing; undefined: it did. */
  readonly problem: string | undefined;
  readonly samples: readonly Sample[];
  /** What the router's clock is ahead of this browser's. */
  readonly aheadMs: number;
}

export interface FeedParts {
  readonly ask: (etag: string | undefined) => Promise<Pick<Response, 'status' | 'headers' | 'json'>>;
  readonly nowMs: () => number;
  /** Returns what cancels it. */
  readonly after: (ms: number, run: () => void) => () => void;
  readonly changed: (feed: Feed) => void;
}

export interface Poller {
  /** At once, beside the rhythm. */
  poll(): void;
  /** Hidden pages ask seldom; one that is seen again asks at once. */
  setHidden(hidden: boolean): void;
}

const everyMs = 2_000;
const hiddenMs = 30_000;
const slowestRetryMs = 10_000;

export function startFeed({ ask, nowMs, after, changed }: FeedParts): Poller {
  let feed: Feed = { report: undefined, answeredAtMs: undefined, problem: undefined, samples: [], aheadMs: 0 };
  let etag: string | undefined;
  let failures = 0;
  let hidden = false;
  let asking = false;
  let again = false;
  let cancel: (() => void) | undefined;

  async function poll(): Promise<void> {
    cancel?.();
    again = asking;
    if (asking) return;
    asking = true;
    try {
      feed = await read();
      failures = 0;
    } catch (thrown) {
      failures += 1;
      feed = { ...feed, problem: thrown instanceof Problem ? thrown.message : 'no connection to the router' };
    }
    asking = false;
    changed(feed);
    cancel = after(again ? 0 : pauseMs(), () => void poll());
  }

  async function read(): Promise<Feed> {
    const answer = await ask(etag);
    const answeredAtMs = nowMs();
    if (answer.status === 304 && feed.report !== undefined) {
      const { report, aheadMs } = feed;
      const samples = addSample(feed.samples, { atMs: answeredAtMs + aheadMs, traffic: report.traffic });
      return { ...feed, samples, answeredAtMs, problem: undefined };
    }
    const body: unknown = await answer.json().catch(() => undefined);
    if (answer.status !== 200) throw new Problem(`HTTP ${answer.status}${messageIn(body)}`);
    if (!isReport(body)) throw new Problem('the answer is not the report of a router');
    etag = answer.headers.get('etag') ?? undefined;
    const atMs = Date.parse(body.now);
    return {
      report: keepReport(feed.report, body),
      answeredAtMs,
      problem: undefined,
      samples: addSample(feed.samples, { atMs, traffic: body.traffic }),
      aheadMs: atMs - answeredAtMs,
    };
  }

  function pauseMs(): number {
    if (hidden) return hiddenMs;
    return failures === 0 ? everyMs : Math.min(slowestRetryMs, everyMs * 1.5 ** (failures - 1));
  }

  void poll();
  return {
    poll: () => void poll(),
    setHidden(now) {
      const seenAgain = hidden && !now;
      hidden = now;
      if (seenAgain) void poll();
    },
  };
}

class Problem extends Error {}

/** Of the error envelope: `: This name is …`. */
export function messageIn(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('error' in body)) return '';
  const { error } = body;
  if (typeof error !== 'object' || error === null || !('message' in error)) return '';
  return typeof error.message === 'string' ? `: ${error.message}` : '';
}

function isReport(body: unknown): body is FleetReport {
  return typeof body === 'object' && body !== null && 'backends' in body && 'models' in body && 'traffic' in body;
}
