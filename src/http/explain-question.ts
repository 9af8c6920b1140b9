// The query of `GET /explain`: as much of a request as decides where it goes.
import { GatewayError } from '../errors.ts';
import { type EndpointName, endpointNames, type FeatureName, featureNames } from '../fleet/capabilities.ts';

export interface ExplainQuestion {
  readonly model: string;
  readonly endpoint: EndpointName;
  readonly needs: readonly FeatureName[];
  readonly promptBytes: number;
  readonly maxTokens: number | undefined;
  readonly tenant: string | undefined;
}

const fields = ['model', 'endpoint', 'needs', 'prompt_bytes', 'max_tokens', 'tenant'] as const;
type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @throws GatewayError `invalid_request` naming the field */
export function readQuestion(query: Query): ExplainQuestion {
  const isKnown = (name: string) => fields.some((known) => known === name);
  const unknown = Object.keys(query).find((name) => !isKnown(name));
  if (unknown !== undefined) throw refusal('there is a field that is not known', fields);
  const model = one(query, 'model');
  if (model === undefined) throw refusal('model is missing', ['model=NAME']);
  const needs = (one(query, 'needs') ?? '').split(',').filter((name) => name !== '');
  return {
    model,
    endpoint: oneOf(endpointNames, one(query, 'endpoint') ?? 'chat-completions', 'endpoint'),
    needs: needs.map((name) => oneOf(featureNames, name, 'needs')),
    promptBytes: count(query, 'prompt_bytes') ?? 0,
    maxTokens: count(query, 'max_tokens'),
    tenant: one(query, 'tenant'),
  };
}

function one(query: Query, name: (typeof fields)[number]): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw refusal(`${name} is given more than once`, fields);
  return value;
}

function oneOf<Name extends string>(names: readonly Name[], written: string, field: string): Name {
  const found = names.find((name) => name === written);
  if (found === undefined) throw refusal(`${field} has a value that is not known`, names);
  return found;
}

function count(query: Query, name: (typeof fields)[number]): number | undefined {
  const written = one(query, name);
  if (written === undefined) return undefined;
  if (!/^\d{1,12}$/.test(written)) throw refusal(`${name} is not a whole number`, [`${name}=2000`]);
  return Number(written);
}

function refusal(what: string, known: readonly string[]): GatewayError {
  return new GatewayError('invalid_request', `In the query ${what}; known: ${known.join(', ')}.`);
}
