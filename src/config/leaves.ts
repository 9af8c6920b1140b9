// How values enter the schema. A `${…}` that was expanded fits a field of any type: `weight: ${W:-2}` and `tenant: ${T:-42}`
// both mean what they say; a value written out has exactly the type YAML gives it.
import { z } from 'zod';
import type { Tree } from './tree.ts';

const expandedText = Symbol('text of an expanded scalar');

interface Expanded {
  readonly [expandedText]: string;
  readonly value: unknown;
}

function isExpanded(value: unknown): value is Expanded {
  return typeof value === 'object' && value !== null && expandedText in value;
}

const declaring: ReadonlySet<string> = new Set(['models', 'auth.tenants']);

/** The tree as plain values; what was left empty is undefined. Objects have no prototype, so no key can reach one. */
export function plain(node: Tree): unknown {
  switch (node.kind) {
    case 'scalar':
      if (node.broken) return undefined;
      return node.expanded && typeof node.value !== 'string' && node.value !== null
        ? { [expandedText]: node.text, value: node.value }
        : node.value;
    case 'list':
      return node.items.map(plain);
    case 'map': {
      const values: Record<string, unknown> = Object.create(null);
      for (const [key, entry] of node.entries) {
        const value = plain(entry.node);
        // The name of a model or a tenant alone declares it; everywhere else nothing means: left out.
        const isEmpty = value === null || value === undefined;
        values[key] = isEmpty ? (declaring.has(node.place.path) ? {} : undefined) : value;
      }
      return values;
    }
    default:
      return node satisfies never;
  }
}

const asText = (value: unknown): unknown => (isExpanded(value) ? value[expandedText] : value);
const asValue = (value: unknown): unknown => (isExpanded(value) ? value.value : value);

export function text(): z.ZodPreprocess<z.ZodString>;
export function text(refine: (schema: z.ZodString) => z.ZodString): z.ZodPreprocess<z.ZodString>;
export function text<Schema extends z.ZodType>(schema: Schema): z.ZodPreprocess<Schema>;
export function text(schema: z.ZodType | ((schema: z.ZodString) => z.ZodString) = z.string()) {
  return z.preprocess(asText, typeof schema === 'function' ? schema(z.string()) : schema);
}

export function number<Schema extends z.ZodType>(schema: Schema): z.ZodPreprocess<Schema> {
  return z.preprocess(asValue, schema);
}

export const flag = z.preprocess(asValue, z.boolean());

export function list<Item extends z.ZodType>(item: Item): z.ZodArray<Item> {
  return z.array(item);
}

// Not by `min`, which reads the length of whatever stands there, also of a mapping with that key.
export const filledText = text((schema) => schema.regex(/^[^]/, { error: 'must not be empty' }));

/** With at least one entry; not by `min` either. */
export function filledList<Item extends z.ZodType>(item: Item): z.ZodArray<Item> {
  return list(item).refine((items) => items.length > 0, { error: 'needs at least one entry' });
}
