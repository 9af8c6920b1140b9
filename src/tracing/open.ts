// Whether anybody follows the requests of this router, and how: with the SDK, where the fleet file names a collector; with
// what was loaded in front of us (`node --import`), where something was; else not at all, at no cost.
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
} from '@opentelemetry/api';
import { isSpanContextValid, trace as api, type Tracer } from '@opentelemetry/api';
import type { TracingSettings } from '../fleet/fleet.ts';
import type { TraceStart } from '../routing/ports.ts';
import { ExchangeTrace } from './exchange-trace.ts';

export interface Tracing {
  /** Begins to follow one request; undefined: nobody does. */
  readonly begin: TraceStart | undefined;
  /** Sends what is still held, for a few seconds at most. */
  close(): Promise<void>;
}

/** What carries the context over the wire. */
export interface Wire {
  read(headers: Headers): Context;
  write(context: Context): readonly (readonly [name: string, value: string])[];
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface TracingParts {
  readonly version: string;
  /** The collector has not taken what it was sent, or takes it again: told once each. */
  readonly changed: (takes: boolean) => void;
}

export async function openTracing(settings: TracingSettings | undefined, parts: TracingParts): Promise<Tracing> {
  if (settings === undefined) {
    const tracer = api.getTracer('switchyard', parts.version);
    const begin = isHeard(tracer) ? starter(tracer, globalWire) : undefined;
    return { begin, close: () => Promise.resolve() };
  }
  // Nobody who does without pays for its loading.
  const { openSdk } = await import('./sdk.ts');
  const { tracer, wire, close } = openSdk(settings, parts);
  return { begin: starter(tracer, wire), close };
}

function starter(tracer: Tracer, wire: Wire): TraceStart {
  return (headers, endpoint) => new ExchangeTrace({ tracer, wire, parent: wire.read(headers), endpoint });
}

/** The API alone hands out spans that lead nowhere. */
function isHeard(tracer: Tracer): boolean {
  const span = tracer.startSpan('start', {}, ROOT_CONTEXT);
  span.end();
  return isSpanContextValid(span.spanContext());
}

/** As whoever was loaded in front of us has set it up. */
const globalWire: Wire = {
  read: (headers) => propagation.extract(ROOT_CONTEXT, headers, defaultTextMapGetter),
  write(context) {
    const carrier: Record<string, string> = {};
    propagation.inject(context, carrier, defaultTextMapSetter);
    return Object.entries(carrier);
  },
};
