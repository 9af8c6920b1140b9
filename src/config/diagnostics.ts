// What is wrong with a fleet file, where, and what to do about it; collected, never thrown. Also the three printers.
// Messages name things and never carry values that could be secret.
import { distance } from 'fastest-levenshtein';

export interface Problem {
  readonly file: string;
  /** From 1; 0 when the problem is not in a text, such as a flag or an environment variable. */
  readonly line: number;
  readonly col: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** `backends[0].url`; empty for the whole file. */
  readonly path: string;
  readonly hint?: string;
}

/** `file` is only there when it is not the fleet file itself. */
export type Place = Pick<Problem, 'line' | 'col' | 'path'> & { readonly file?: string };

export interface Report {
  error(at: Place, message: string, hint?: string): void;
  warning(at: Place, message: string, hint?: string): void;
  failed(): boolean;
  /** In the order of the file, at most 100 and a last one that counts the rest. */
  problems(): readonly Problem[];
}

const mostProblems = 100;

export function createReport(file: string): Report {
  const problems: Problem[] = [];
  let failed = false;
  let left = 0;
  const add = (severity: Problem['severity'], at: Place, message: string, hint?: string): void => {
    failed ||= severity === 'error';
    if (problems.length >= mostProblems) left += 1;
    else problems.push({ file, ...at, severity, message, ...(hint === undefined ? {} : { hint }) });
  };
  return {
    error: (at, message, hint) => add('error', at, message, hint),
    warning: (at, message, hint) => add('warning', at, message, hint),
    failed: () => failed,
    problems() {
      const sorted = problems.toSorted((a, b) => a.line - b.line || a.col - b.col);
      if (left > 0)
        sorted.push({ ...nowhere(file), severity: failed ? 'error' : 'warning', message: `${left} more problems` });
      return sorted;
    },
  };
}

/** A place outside the text: a flag, a variable, the file as a whole. */
export function nowhere(file: string): Place & { readonly file: string } {
  return { file, line: 0, col: 0, path: '' };
}

/** The candidate that was probably meant. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  // A longer word is not a typing error, and the distance costs its length times theirs.
  if (word.length > 40) return undefined;
  const ranked = candidates.map((candidate) => ({ candidate, away: distance(word.toLowerCase(), candidate) }));
  const best = ranked.toSorted((a, b) => a.away - b.away)[0];
  return best && best.away <= (best.candidate.length < 4 ? 1 : Math.max(2, Math.floor(best.candidate.length / 3)))
    ? best.candidate
    : undefined;
}

export const formats = ['text', 'json', 'github'] as const;
export type Format = (typeof formats)[number];

/** Without a newline at its end. */
export function printProblems(problems: readonly Problem[], format: Format): string {
  switch (format) {
    case 'text':
      return problems.map(asText).join('\n');
    case 'json':
      return JSON.stringify(problems, undefined, 2);
    case 'github':
      return problems.map(asAnnotation).join('\n');
    default:
      return format satisfies never;
  }
}

function asText(problem: Problem): string {
  const where = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.col}`;
  return `${where}: ${problem.severity}: ${sentence(problem)}`;
}

function sentence({ message, path, hint }: Problem): string {
  return `${message}${path === '' ? '' : ` at ${path}`}${hint === undefined ? '' : ` (${hint})`}`;
}

// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
function asAnnotation(problem: Problem): string {
  const where = problem.line === 0 ? '' : `,line=${problem.line},col=${problem.col}`;
  const file = escape(problem.file).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::${problem.severity} file=${file}${where}::${escape(sentence(problem))}`;
}

function escape(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
