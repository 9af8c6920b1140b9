// A fleet file in one layout. Comments stay, and so does what the file means: where that can not be shown, the file is left alone.
import { type Document, isCollection, isScalar, Lexer, parseDocument, visit } from 'yaml';
import { createReport, nowhere, type Problem } from './diagnostics.ts';
import { mostBytes, parseTree } from './parse.ts';

export type Formatted = { readonly text: string } | { readonly problems: readonly Problem[] };

/** What stands in [ ] or { } and is longer gets lines of its own. */
const longestFlow = 100;
/** Mark comments that would move otherwise: one on the line of its key, one after a blank line. No text has a reason to hold them. */
const marks = { beside: '\u{F0000}', apart: '\u{F0001}' } as const;

/** Only the layout: variables are not looked up, and fields are not checked. */
export function formatFleetFile(written: string, path: string): Formatted {
  const text = written.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const report = createReport(path);
  parseTree(text, everythingSet, report);
  if (report.failed()) return { problems: report.problems() };
  const formatted = layOut(text);
  if (!/[\u{F0000}\u{F0001}]/u.test(text) && isSame(text, formatted) && layOut(formatted) === formatted)
    return { text: formatted };
  report.error(nowhere(path), 'this file can not be laid out without changing it', 'it is left as it is');
  return { problems: report.problems() };
}

/** An environment in which every variable has a value. */
const everythingSet: Readonly<Record<string, string>> = new Proxy<Record<string, string>>(
  {},
  {
    get: () => 'x',
    getOwnPropertyDescriptor: () => ({ value: 'x', configurable: true, enumerable: true }),
  },
);

function layOut(text: string): string {
  const document = parseDocument(text);
  // Nothing would be written as `null`.
  if (document.contents === null) return text;
  prepare(document, text);
  const written = document.toString({ indent: 2, indentSeq: true, lineWidth: 0, flowCollectionPadding: true });
  const kept = written
    .replaceAll(new RegExp(`:\\n *# ?${marks.beside}`, 'gu'), ': #')
    .replaceAll(new RegExp(`\\n+( *)# ?${marks.apart}`, 'gu'), '\n\n$1#');
  return `${tight(kept).trimEnd()}\n`;
}

function prepare(document: Document, text: string): void {
  visit(document, {
    Collection(_key, node, ancestors) {
      const isInside = ancestors.some((one) => isCollection(one) && one.flow === true);
      if (node.flow === true && !isInside && node.items.length > 0 && JSON.stringify(node).length > longestFlow)
        node.flow = false;
      if (typeof node.comment === 'string' && isApart(node.comment, text.slice(node.range?.[0], node.range?.[2])))
        node.comment = marks.apart + node.comment;
    },
    Pair(_key, { key, value }) {
      if (!isScalar(key) || !isCollection(value) || value.flow === true) return;
      const between = text.slice(key.range?.[1] ?? 0, value.range?.[0] ?? 0);
      if (/^\s*:[ \t]+#/.test(between) && typeof value.commentBefore === 'string')
        value.commentBefore = marks.beside + value.commentBefore;
    },
  });
}

/** Whether there is a blank line in front of the comment at the end of a list or mapping. */
function isApart(comment: string, text: string): boolean {
  const [first = ''] = comment.split('\n');
  return /\n[ \t]*\n[ \t]*$/.test(text.slice(0, text.lastIndexOf(`#${first}\n`)));
}

/** What it puts in for itself: the start of a document, of a scalar, the end of a broken flow collection. */
const ofLexer: ReadonlySet<string> = new Set(['\u0002', '\u001f', '\u0018']);

/** `[a, b]`, while `{ a: b }` keeps its blanks. */
export function tight(text: string): string {
  const out: string[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    if (ofLexer.has(lexeme)) continue;
    const last = out.at(-1) ?? '';
    if (lexeme === ']' && /^ +$/.test(last)) out.pop();
    if (!(last === '[' && /^ +$/.test(lexeme))) out.push(lexeme);
  }
  return out.join('');
}

function isSame(before: string, after: string): boolean {
  if (Buffer.byteLength(after) > mostBytes) return false;
  return values(before) === values(after) && comments(before) === comments(after);
}

function values(text: string): string {
  return JSON.stringify(parseDocument(text));
}

/** Each of them, wherever it went. */
function comments(text: string): string {
  const found = [...new Lexer().lex(text)].filter((lexeme) => lexeme.startsWith('#'));
  return found.map((comment) => comment.trimEnd()).join('\n');
}
