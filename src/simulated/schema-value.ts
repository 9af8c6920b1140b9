// The smallest value that fits a JSON Schema's shape: types, required properties, enums, references. It does not try
// patterns, formats or numeric steps, and stops at a depth instead of unfolding a recursive schema for ever.
import { isObject, type JsonObject } from '../wire/json-value.ts';

const deepest = 12;

export function valueFor(schema: unknown): unknown {
  return build(schema, isObject(schema) ? schema : {}, 0);
}

function build(schema: unknown, root: JsonObject, depth: number): unknown {
  if (!isObject(schema) || depth > deepest) return null;
  if ('const' in schema) return schema['const'];
  const { enum: choices, $ref: reference, anyOf, oneOf, allOf } = schema;
  if (Array.isArray(choices)) return choices[0];
  if (typeof reference === 'string') return build(resolve(reference, root), root, depth + 1);
  const alternatives = Array.isArray(anyOf) ? anyOf : oneOf;
  if (Array.isArray(alternatives)) return build(alternatives[0], root, depth + 1);
  if (Array.isArray(allOf)) return build(Object.assign({}, ...allOf.filter(isObject)), root, depth + 1);
  return ofType(schema, root, depth);
}

function ofType(schema: JsonObject, root: JsonObject, depth: number): unknown {
  const { type, properties, items, minItems, minLength, minimum } = schema;
  switch (Array.isArray(type) ? type[0] : type) {
    case 'array':
      return Array.from({ length: Math.min(countOf(minItems), 64) }, () => build(items, root, depth + 1));
    case 'string':
      return 'simulated'.padEnd(Math.min(countOf(minLength), 4096), '.');
    case 'integer':
    case 'number':
      return typeof minimum === 'number' ? minimum : 0;
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return isObject(properties) || type === 'object' ? objectFor(schema, root, depth) : 'simulated';
  }
}

function objectFor({ properties, required }: JsonObject, root: JsonObject, depth: number): JsonObject {
  const known = isObject(properties) ? properties : {};
  const names = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : Object.keys(known);
  return Object.fromEntries(names.map((name) => [name, build(known[name], root, depth + 1)]));
}

/** References within the schema only: `#/$defs/Name`. */
function resolve(reference: string, root: JsonObject): unknown {
  if (reference === '#') return root;
  let at: unknown = root;
  for (const step of reference.replace(/^#\//, '').split('/')) at = isObject(at) ? at[step] : undefined;
  return at;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.floor(value) : 0;
}
