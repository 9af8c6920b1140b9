// What goes to a backend: the caller's own bytes, with nothing changed but the splices declared here.
import type { EventReading } from '../engines/engine.ts';
import type { Candidate } from '../selection/policy.ts';
import { scanObject, type Span } from '../wire/json-scan.ts';
import { type Splice, splice } from '../wire/splice.ts';
import type { InferenceRequest } from './exchange.ts';
import type { HeaderList, UpstreamRequest } from './ports.ts';
import { resumingSplices, type SoFar } from './resume-request.ts';

export interface Prepared {
  readonly request: UpstreamRequest;
  /** The name the caller asked for, as JSON, where the backend was sent another one. */
  readonly renameTo: Buffer | undefined;
  /** The usage event was asked for by us, so the caller must not see it. */
  readonly dropUsageEvent: boolean;
}

/** For one exchange: what is sent along, and whether its tokens are to be told whatever the caller asked for. */
export interface Purpose {
  readonly requestId: string;
  readonly countsTokens: boolean;
  /** Of the trace that the attempt belongs to, in place of the caller's. */
  readonly traced?: HeaderList | undefined;
  /** What was said by others, where it is only the rest that is wanted. */
  readonly soFar?: SoFar;
}

export function prepare(
  request: InferenceRequest,
  { requestId, countsTokens, traced, soFar }: Purpose,
  candidate: Candidate,
): Prepared {
  const { backend, member, engine } = candidate;
  const renamed = member.name !== request.model;
  const wantsUsage = backend.usage === 'force' || (countsTokens && !engine.usageInEveryEvent?.has(request.endpoint));
  const usage = wantsUsage && request.stream && !request.includeUsage ? includeUsage(request) : undefined;
  const splices: Splice[] = soFar === undefined ? [] : [...resumingSplices(request, engine, soFar)];
  if (renamed) splices.push({ ...request.spans.model, bytes: Buffer.from(JSON.stringify(member.name)) });
  if (usage !== undefined) splices.push(usage);
  return {
    request: {
      path: engine.path(request.endpoint),
      headers: headersFor(
        traced === undefined ? request.headers : retraced(request.headers, traced),
        requestId,
        backend.bearer,
      ),
      body: splice(request.body, splices),
    },
    renameTo: renamed ? Buffer.from(JSON.stringify(request.model)) : undefined,
    dropUsageEvent: usage !== undefined,
  };
}

function headersFor(forwarded: HeaderList, requestId: string, bearer: string | undefined): HeaderList {
  const own: [string, string][] = [
    ['x-request-id', requestId],
    // A compressed event stream could not be read on its way through.
    ['accept-encoding', 'identity'],
  ];
  if (bearer !== undefined) own.push(['authorization', `Bearer ${bearer}`]);
  return [...forwarded, ...own];
}

function retraced(forwarded: HeaderList, traced: HeaderList): HeaderList {
  return [...forwarded.filter(([name]) => name !== 'traceparent' && name !== 'tracestate'), ...traced];
}

/** Sets `stream_options.include_usage`; an object that is there is extended, anything else is for the backend to refuse. */
function includeUsage({ body, spans }: InferenceRequest): Splice | undefined {
  const { streamOptions, start } = spans;
  if (streamOptions === undefined) {
    return { start, end: start, bytes: Buffer.from('"stream_options":{"include_usage":true},') };
  }
  const written = body.subarray(streamOptions.start, streamOptions.end);
  if (written.equals(nothing)) return { ...streamOptions, bytes: Buffer.from('{"include_usage":true}') };
  const scanned = scanObject(written);
  if (typeof scanned === 'string') return undefined;
  const shift = ({ start, end }: Span): Span => ({
    start: start + streamOptions.start,
    end: end + streamOptions.start,
  });
  const existing = scanned.members.get('include_usage');
  if (existing !== undefined) return { ...shift(existing), bytes: Buffer.from('true') };
  const open = scanned.open + streamOptions.start;
  return {
    start: open,
    end: open,
    bytes: Buffer.from(scanned.members.size === 0 ? '"include_usage":true' : '"include_usage":true,'),
  };
}

const nothing = Buffer.from('null');

/** One event of a stream as the caller gets it; undefined: not at all. */
export function relayedEvent(event: Buffer, reading: EventReading | undefined, prepared: Prepared): Buffer | undefined {
  if (prepared.dropUsageEvent && reading?.usageOnly === true) return undefined;
  return prepared.renameTo === undefined ? event : renameModel(event, event.indexOf('{'), prepared.renameTo);
}

/** Replaces the depth-1 `model` of the JSON object that begins at `from`; anything else comes back as it is. */
export function renameModel(bytes: Buffer, from: number, name: Buffer): Buffer {
  if (from === -1) return bytes;
  const scanned = scanObject(bytes.subarray(from));
  if (typeof scanned === 'string') return bytes;
  const model = scanned.members.get('model');
  if (model === undefined) return bytes;
  return splice(bytes, [{ start: model.start + from, end: model.end + from, bytes: name }]);
}
