// What the admin listener tells when it is asked: the fleet, its configuration, and what would happen. All of it GET, and
// nothing of it changes anything.
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Explanation, FleetReport } from '../fleet/report.ts';
import { sendConditionally } from './conditional-json.ts';
import { type ExplainQuestion, readQuestion } from './explain-question.ts';

export interface AdminReads {
  fleet(): FleetReport;
  /** The effective configuration, without its secrets. */
  config(): object;
  /** @throws GatewayError as a caller would get it */
  explain(question: ExplainQuestion): Explanation;
  /** What a reload would change. */
  diff(): object;
}

export function addReads(router: Router, reads: AdminReads): void {
  router.get('/fleet', (ctx: Context) => {
    const report = reads.fleet();
    return sendConditionally(ctx, report, withoutTicking(report));
  });
  router.get('/config', (ctx: Context) => {
    ctx.body = reads.config();
  });
  router.get('/explain', (ctx: Context) => {
    ctx.body = reads.explain(readQuestion(ctx.query));
  });
  router.get('/diff', (ctx: Context) => {
    ctx.body = reads.diff();
  });
}

/** Clocks, the history that moves with them, and how long something is still to last. */
export function withoutTicking({
  now: _now,
  traffic: { history: _history, ...traffic },
  ...report
}: FleetReport): string {
  return JSON.stringify({ ...report, traffic }).replace(/ (?:in|for) \d+ s"/g, '"');
}
