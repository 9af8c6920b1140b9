// What every endpoint offers: a path, and a reading of the request body. Knows no web framework and no backend.
import type { Capability, EndpointName } from '../fleet/capabilities.ts';
import type { Span } from '../wire/json-scan.ts';

export interface Endpoint {
  readonly name: EndpointName;
  readonly path: string;
  /** Whether a streamed answer exists here. */
  readonly streams: boolean;
  /**
   * Reads what routing needs from a complete JSON body, in one pass; the body itself is never changed.
   * @throws GatewayError `invalid_request` naming the field and, for malformed JSON, the position.
   */
  read(body: Buffer): InferenceFields;
}

export interface InferenceFields {
  readonly model: string;
  readonly stream: boolean;
  /** Whether the caller asked for `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  /** The endpoint itself, and what the body asks for. */
  readonly needs: readonly Capability[];
  /** Bytes of text in the prompt, of the longest where there are several; base64 parts are not text. */
  readonly textBytes: number;
  /** Everything that becomes input, of all prompts together: roles, tool calls and schemas too, media not. */
  readonly totalTextBytes: number;
  /** Answers that are asked for: of each prompt, `n` or `best_of`. */
  readonly answers: number;
  /** Image and audio parts. */
  readonly parts: number;
  /** The caller's own bound on generated tokens of one answer, the larger where it gives two; absent when it gave none. */
  readonly maxTokens?: number;
  /** What its caller has named its conversation by; absent: nothing. */
  readonly session?: string;
  /** What the engine keeps its cached prefixes apart by, where the caller says (vLLM's `cache_salt`). */
  readonly cacheSalt?: string;
  /** Of `textBytes`, what stands up to the last answer among the messages: it was sent before. Absent: nothing. */
  readonly knownTextBytes?: number;
  /** Where splices go, and what is looked at as bytes. */
  readonly spans: BodySpans;
}

export interface BodySpans {
  /** Just behind the opening brace of the body. */
  readonly start: number;
  /** The value of `model`, quotes included. */
  readonly model: Span;
  /** The value of `stream_options`, when present. */
  readonly streamOptions?: Span;
  /** The values of `messages`, `prompt` or `input`, and of `tools`, when present. */
  readonly prompt?: Span;
  readonly tools?: Span;
}
