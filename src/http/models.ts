// GET /v1/models and /v1/models/{id}: answered from memory, in a stable order, whatever the backends do.
import { type Caller, mayUse } from '../access/keyring.ts';
import { GatewayError } from '../errors.ts';
import type { Capabilities } from '../fleet/capabilities.ts';
import { combinedCapabilities, largestContext, type Model } from '../fleet/catalogue.ts';
import { canonicalName, type Snapshot } from '../routing/snapshot.ts';

/** An entry as OpenAI's clients expect it, with what the fleet knows in extra fields. */
export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  /** Unix seconds. */
  readonly created: number;
  readonly owned_by: 'switchyard';
  /** The canonical name; another one than `id` for an alias. */
  readonly root: string;
  /** Tokens; the largest of its backends. */
  readonly context_length?: number;
  readonly capabilities: Capabilities;
}

export function listModels(
  snapshot: Snapshot,
  caller: Caller,
  createdSeconds: number,
): { object: 'list'; data: readonly ModelEntry[] } {
  const data: ModelEntry[] = [];
  for (const model of snapshot.catalogue.models.values()) {
    if (!mayUse(caller, model.name)) continue;
    for (const id of [model.name, ...model.aliases]) data.push(entry(id, model, createdSeconds));
  }
  return { object: 'list', data };
}

/** @throws GatewayError `forbidden`, `model_not_found` */
export function findModel(snapshot: Snapshot, caller: Caller, id: string, createdSeconds: number): ModelEntry {
  const name = canonicalName(snapshot, id, caller);
  const model = snapshot.catalogue.models.get(name);
  if (model === undefined)
    throw new GatewayError(
      'model_not_found',
      'No backend serves a model of this name. GET /v1/models lists what there is.',
    );
  return entry(id, model, createdSeconds);
}

function entry(id: string, model: Model, created: number): ModelEntry {
  const largest = largestContext(model);
  return {
    id,
    object: 'model',
    created,
    owned_by: 'switchyard',
    root: model.name,
    ...(largest === undefined ? {} : { context_length: largest }),
    capabilities: combinedCapabilities(model),
  };
}
