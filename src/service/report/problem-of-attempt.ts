// What a failed attempt says about its backend, in a few words for people; never text that a backend sent.
import type { GatewayError } from '../../errors.ts';
import { transportProblem } from '../../fleet/problem.ts';

export function problemOfAttempt({ code, details, status }: GatewayError): string {
  if (details.transportCode !== undefined) return transportProblem(details.transportCode);
  switch (code) {
    case 'connect_timeout':
      return 'connection timed out';
    case 'first_byte_timeout':
      return 'did not begin to answer in time';
    case 'gap_timeout':
      return 'fell silent in the middle of an answer';
    case 'backend_broken':
      return 'broken answer';
    case 'backend_misconfigured':
      return `HTTP ${status}: refuses our key`;
    default:
      return details.asSent === undefined ? 'error in the middle of an answer' : `HTTP ${status}`;
  }
}
