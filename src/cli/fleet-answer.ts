// The report of a running router, as the verbs that show it get it.
import type { FleetReport } from '../fleet/report.ts';
import { isObject } from '../wire/json-value.ts';
import { type Admin, type Answer, type AskOptions, type Refusal, unreachable } from './admin-client.ts';

export interface FleetAnswer {
  readonly answer: Answer;
  /** Absent where it is the one that was known already (304). */
  readonly report: FleetReport | undefined;
}

export async function askFleet(admin: Admin, options: AskOptions = {}): Promise<FleetAnswer | Refusal> {
  const answer = await admin.get('/fleet', options);
  // A refusal too: 1 would say something about the fleet.
  if ('problem' in answer) return { ...answer, exitCode: unreachable };
  if (answer.status === 304) return { answer, report: undefined };
  if (isReport(answer.json)) return { answer, report: answer.json };
  const problem = `${admin.url}/fleet is not the report of a router: is this its admin listener, and its version this one?`;
  return { problem, exitCode: unreachable };
}

/** As far as what is shown depends on it. */
function isReport(json: unknown): json is FleetReport {
  if (!isObject(json) || !isObject(json['config']) || typeof json['now'] !== 'string') return false;
  const lists = [json['attention'], json['backends'], json['models']];
  return lists.every((list) => Array.isArray(list)) && [json['backends'], json['models']].flat().every(isObject);
}
