// A part of a path that names something.
import { GatewayError } from '../errors.ts';

/** A name as it stands in a path, decoded; `what` it is, for the message. Throws `invalid_request`. */
export function decodePathPart(raw: string, what: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new GatewayError('invalid_request', `The ${what} in the path is not valid percent-encoding.`);
  }
}
