// POST /v1/chat/completions. https://platform.openai.com/docs/api-reference/chat/create
import type { Capability } from '../fleet/capabilities.ts';
import { isObject, type JsonObject } from '../wire/json-value.ts';
import type { Endpoint } from './endpoint.ts';
import { byteLength, inferenceFields, type Prompt, type ReadBody, readBody } from './read-body.ts';

export const chatCompletions: Endpoint = {
  name: 'chat-completions',
  path: '/v1/chat/completions',
  streams: true,
  read(bytes) {
    const body = readBody(bytes, 'messages');
    const needs = new Set<Capability>(['chat-completions']);
    if (usesTools(body.fields)) needs.add('tools');
    if (isObject(body.fields.response_format) && body.fields.response_format.type === 'json_schema') {
      needs.add('json_schema');
    }
    const prompt = readMessages(body, needs);
    return inferenceFields(body, [...needs], prompt);
  },
};

function usesTools(fields: JsonObject): boolean {
  if (fields.tool_choice === 'none') return false;
  return isNonEmptyList(fields.tools) || isNonEmptyList(fields.functions);
}

function isNonEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** Counts text and parts, and notes what the parts need. Base64 is not text. */
function readMessages(body: ReadBody, needs: Set<Capability>): Prompt {
  let textBytes = spanBytes(body, 'tools') + spanBytes(body, 'functions');
  // What stands around the texts becomes tokens as well: tool calls, reasoning, names, a schema.
  let otherBytes = isObject(body.fields.response_format)
    ? bytesIn(body.fields.response_format.json_schema, byteLength)
    : 0;
  let parts = 0;
  let knownTextBytes = 0;
  const messages: readonly unknown[] = Array.isArray(body.fields.messages) ? body.fields.messages : [];
  for (const message of messages) {
    if (!isObject(message)) continue;
    for (const [name, value] of Object.entries(message))
      if (name !== 'content' && name !== 'role') otherBytes += bytesIn(value, body.bytesOf);
    if (typeof message.content === 'string') textBytes += body.bytesOf(message.content);
    if (message.role === 'assistant') knownTextBytes = textBytes;
    if (!Array.isArray(message.content)) continue;
    const content: readonly unknown[] = message.content;
    for (const part of content) {
      if (!isObject(part)) continue;
      if (typeof part.text === 'string') textBytes += body.bytesOf(part.text);
      const need = typeof part.type === 'string' ? partNeeds.get(part.type) : undefined;
      if (need === undefined) continue;
      parts++;
      needs.add(need);
    }
  }
  return { textBytes, totalTextBytes: textBytes + otherBytes, parts, count: 1, knownTextBytes };
}

/** Of all texts and names in a value. */
function bytesIn(value: unknown, bytesOf: ReadBody['bytesOf']): number {
  if (typeof value === 'string') return bytesOf(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + bytesIn(item, bytesOf), 0);
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce((sum, [name, item]) => sum + name.length + bytesIn(item, bytesOf), 0);
}

const partNeeds: ReadonlyMap<string, Capability> = new Map([
  ['image_url', 'vision'],
  ['input_image', 'vision'],
  ['image', 'vision'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
]);

function spanBytes(body: ReadBody, member: string): number {
  const span = body.scanned.members.get(member);
  return span === undefined ? 0 : span.end - span.start;
}
