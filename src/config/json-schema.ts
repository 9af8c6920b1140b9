// fleet.yaml as a JSON Schema, for editors: draft 7, which is what yaml-language-server reads. Made from the schema itself, with
// the words of field-words.ts. More lenient than `check` where several fields must agree, never stricter.
import { z } from 'zod';
import { type FieldWords, fieldWords } from './field-words.ts';
import { fleetSchema } from './schema.ts';

/** What this file reads and writes of a JSON Schema. */
interface Node {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly pattern?: string;
  readonly [key: string]: unknown;
}

const variable = '#/definitions/variable';

export function fleetJsonSchema(): Node {
  // What comes out of Zod is typed loosely; only the fields named above are read.
  const made = z.toJSONSchema(fleetSchema, { target: 'draft-7', io: 'input' }) as Node;
  const { $schema, ...root } = made;
  return {
    $schema,
    title: 'Switchyard fleet file',
    description: 'The fleet of a Switchyard: inference servers, models, callers, and how requests are spread.',
    ...withWords(root, ''),
    definitions: {
      variable: {
        type: 'string',
        pattern: '\\$\\{',
        description: '${NAME} is a variable of the environment, ${NAME:-default} one that may be unset.',
      },
    },
  };
}

/** The words that belong to a field: those of the longest end of its path. */
export function wordsOf(path: string): readonly [name: string, words: FieldWords] | undefined {
  for (let name = path; ; name = name.slice(name.indexOf('.') + 1)) {
    const words = fieldWords[name];
    if (words !== undefined) return [name, words];
    if (!name.includes('.')) return undefined;
  }
}

function withWords(node: Node, path: string): Node {
  const { properties, items, additionalProperties: named } = node;
  return {
    ...node,
    ...(properties && { properties: fields(properties, node.required ?? [], path) }),
    ...(items && { items: valueOf(items, path) }),
    ...(typeof named === 'object' && { additionalProperties: orNothing(valueOf(named, path)) }),
  };
}

function fields(properties: Readonly<Record<string, Node>>, required: readonly string[], path: string) {
  const described = Object.entries(properties).map(([name, node]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const value = valueOf(node, at);
    const { says, ...rest } = wordsOf(at)?.[1] ?? {};
    return [name, { description: says, ...rest, ...(required.includes(name) ? value : orNothing(value)) }] as const;
  });
  return Object.fromEntries(described);
}

/** A scalar may come from a variable, whatever its type. */
function valueOf(node: Node, path: string): Node {
  if (node.anyOf) return { anyOf: [...node.anyOf.map((one) => withWords(one, path)), { $ref: variable }] };
  if (node.type === 'object' || node.type === 'array') return withWords(node, path);
  const isFree = node.type === 'string' && node.pattern === undefined && node['enum'] === undefined;
  return isFree ? node : { anyOf: [node, { $ref: variable }] };
}

/** An empty value counts as left out. */
function orNothing(node: Node): Node {
  if (node.anyOf) return { ...node, anyOf: [...node.anyOf, { type: 'null' }] };
  return { ...node, type: [String(node.type), 'null'] };
}
