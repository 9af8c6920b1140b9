// Whether a failure is worth an operator's look: one of a backend or of the router. Not the caller's own fault, whether the
// router has found it or a backend, and not that it hung up.
import type { GatewayError } from '../../errors.ts';

export function isFault(error: GatewayError | undefined): error is GatewayError {
  return error !== undefined && error.row.source !== 'caller' && error.row.type !== 'backend_rejected';
}

/** Of those, the ones that are a backend's. */
export function isFaultOfBackend(error: GatewayError | undefined): error is GatewayError {
  return isFault(error) && error.row.source === 'backend';
}
