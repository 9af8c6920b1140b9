// How `probe` and `check --probe` show what they found: a table and what is wrong, or JSON.
import { backendPlaces, placeText } from '../config/backend-places.ts';
import { type Paint, painter } from './colours.ts';
import { columns } from './columns.ts';
import type { Examined } from './examine-fleet.ts';
import { findingOf, type Finding } from './probe-notes.ts';

export interface Shown {
  readonly examined: Examined;
  readonly finding: Finding;
  /** `fleet.yaml:41:11`. */
  readonly at: string;
}

/** `all`: the names of every backend in the file, in its order. */
export function findingsOf(examined: readonly Examined[], all: readonly string[], path: string): readonly Shown[] {
  const places = backendPlaces(path, process.env);
  return examined.map((one) => {
    const index = all.indexOf(one.backend.name);
    return { examined: one, finding: findingOf(one, `backends[${index}]`), at: placeText(path, places[index]) };
  });
}

/** For standard output. */
export function probeTable(shown: readonly Shown[]): string {
  const paint = painter(process.stdout);
  const withTokens = shown.some(({ examined }) => examined.generation !== undefined);
  const header = ['BACKEND', 'ENGINE', 'HEALTH', 'MODELS', 'METRICS', 'AUTH', 'LATENCY'];
  const rows = shown.map((one) => rowOf(one, withTokens, paint));
  return `${columns([[...header, ...(withTokens ? ['TOKEN'] : []), 'NOTE'], ...rows]).join('\n')}\n`;
}

function rowOf({ examined, finding }: Shown, withTokens: boolean, paint: Paint): readonly string[] {
  const { backend, examination, generation } = examined;
  const { models, load, auth, latencyMs } = examination;
  const good = (word: string) => (word === 'ok' ? paint('good', word) : word === '-' ? word : paint('bad', word));
  const metrics = load === undefined ? '-' : load === 'off' ? paint('doubtful', 'off') : good('ok');
  const token = generation === undefined ? '-' : generation.ok ? ms(generation.ms) : paint('bad', 'failed');
  return [
    backend.name,
    finding.engine,
    good(finding.health),
    models === undefined ? '-' : String(models.length),
    metrics,
    good(auth ?? '-'),
    latencyMs === undefined ? '-' : ms(latencyMs),
    ...(withTokens ? [token] : []),
    finding.notes.join('; '),
  ];
}

/** One line for each that is no good, and how many are. */
export function probeSummary(shown: readonly Shown[]): string {
  const bad = shown.filter(({ finding }) => !finding.isGood);
  const lines = bad.map(
    ({ at, examined, finding }) => `${at}: backend "${examined.backend.name}": ${finding.notes[0] ?? finding.health}`,
  );
  const usable = shown.length - bad.length;
  return [...lines, `${usable} of ${shown.length} backend${shown.length === 1 ? '' : 's'} usable.`, ''].join('\n');
}

export function probeJson(shown: readonly Shown[]): string {
  const ok = shown.every(({ finding }) => finding.isGood);
  return `${JSON.stringify({ ok, backends: shownAsJson(shown) }, undefined, 2)}\n`;
}

export function shownAsJson(shown: readonly Shown[]): readonly object[] {
  return shown.map(({ examined, finding, at }) => {
    const { backend, examination, generation, missing } = examined;
    const { reach, engine, version, health, models, load, auth, latencyMs, isRouter } = examination;
    return {
      name: backend.name,
      url: backend.url ?? null,
      at,
      ok: finding.isGood,
      dns: stepWord(reach?.dns),
      tcp: stepWord(reach?.tcp),
      tls: stepWord(reach?.tls),
      engine: engine ?? null,
      version: version ?? null,
      health: health ?? null,
      models: models?.map(({ id }) => id) ?? null,
      serves: examined.models,
      missing,
      metrics: load === undefined ? null : load === 'off' ? 'off' : 'ok',
      auth: auth ?? null,
      latency_ms: latencyMs === undefined ? null : Math.round(latencyMs * 10) / 10,
      token:
        generation === undefined
          ? null
          : generation.ok
            ? { ms: Math.round(generation.ms) }
            : { failed: generation.verdict },
      is_switchyard: isRouter,
      notes: finding.notes,
    };
  });
}

function stepWord(step: { readonly ok: true } | { readonly ok: false; readonly code: string } | undefined) {
  return step === undefined ? null : step.ok ? 'ok' : step.code;
}

function ms(value: number): string {
  return `${value < 10 ? Math.max(1, Math.round(value)) : Math.round(value)} ms`;
}
