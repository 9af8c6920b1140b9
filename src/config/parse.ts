// Text of a fleet file → tree. Refuses what YAML can do and a fleet file never needs: size, depth, anchors, tags,
// directives, several documents. The parser's own messages are replaced: they quote the text, which may hold secrets.
import { Composer, CST, type Document, Lexer, LineCounter, type ParsedNode, Parser } from 'yaml';
import type { Place, Report } from './diagnostics.ts';
import type { Env } from './interpolate.ts';
import { syntaxMessage } from './syntax-messages.ts';
import { growTree, type Tree } from './tree.ts';

export const mostBytes = 2 ** 20;
const deepest = 32;
const mostTokens = 100_000;
const mostRefusals = 100;
const mostSyntaxErrors = 100;

const refused: Partial<Record<CST.TokenType, readonly [message: string, hint: string]>> = {
  anchor: ['anchors (&name) are not supported', 'write the value out; quote text that starts with &'],
  alias: ['aliases (*name) are not supported', 'write the value out; quote text that starts with *'],
  tag: ['tags (!name) are not supported', 'quote text that starts with !'],
  'directive-line': ['directives (%) are not supported', 'leave the line out'],
};

/** Absent when the text is not one YAML document; why stands in the report. */
export function parseTree(text: string, env: Env, report: Report): Tree | undefined {
  if (Buffer.byteLength(text) > mostBytes) {
    report.error({ line: 0, col: 0, path: '' }, 'the file is larger than 1 MiB');
    return undefined;
  }
  const lines = lineCounterOf(text);
  const position = (offset: number): { readonly line: number; readonly col: number } => lines.linePos(offset);
  const place = (offset: number): Place => ({ ...position(offset), path: '' });
  const tokens = readTokens(text, (offset, message, hint) => report.error(place(offset), message, hint));
  if (!tokens) return undefined;
  // Keys are compared in growTree: the parser's own comparison is quadratic.
  const composer = new Composer({ uniqueKeys: false, logLevel: 'silent' });
  let isBroken = false;
  const documents = [...composer.compose(tokens, true, text.length)];
  for (const document of documents) {
    for (const { code, pos } of [...document.errors, ...document.warnings].slice(0, mostSyntaxErrors)) {
      const said = syntaxMessage(code, text, pos[0]);
      if (!said) continue;
      report.error(place(pos[0]), said.message, said.hint);
      isBroken = true;
    }
  }
  const second = documents[1];
  if (second) report.error(place(second.range[0]), 'more than one document', 'a fleet file is one; remove the ---');
  if (isBroken || second) return undefined;
  return growTree(contentsOf(documents[0]), { line: 1, col: 1, path: '' }, { env, report, position });
}

/** The parser itself would tell of line ends, but not of those in text whose closing quote is missing. */
function lineCounterOf(text: string): LineCounter {
  const lines = new LineCounter();
  for (let at = 0; at !== 0 || lines.lineStarts.length === 0; at = text.indexOf('\n', at) + 1) lines.addNewLine(at);
  return lines;
}

function contentsOf(document: Document.Parsed | undefined): ParsedNode | null {
  return document?.contents ?? null;
}

// The parser's first stage keeps its own stack and does not recurse, so its depth is exact and safe to look at;
// the second stage, composing, recurses by depth, and only sees what has passed here.
function readTokens(
  text: string,
  refuse: (offset: number, message: string, hint?: string) => void,
): readonly CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let isScalar = false;
  let offset = 0;
  let count = 0;
  let refusals = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const type: CST.TokenType | null = isScalar ? 'scalar' : CST.tokenType(lexeme);
    isScalar = !isScalar && type === 'scalar';
    const rule = type && refused[type];
    if (rule) refuse(offset, ...rule);
    if (rule && ++refusals > mostRefusals) return undefined;
    for (const token of parser.next(lexeme)) tokens.push(token);
    const open = parser.stack.length > deepest ? parser.stack.filter((token) => 'items' in token).length : 0;
    if (open > deepest) refuse(offset, `nested more than ${deepest} levels deep`);
    else if (++count > mostTokens) refuse(offset, 'more than a fleet file can need');
    else {
      if (type !== 'doc-mode' && type !== 'flow-error-end' && !isScalar) offset += lexeme.length;
      continue;
    }
    return undefined;
  }
  tokens.push(...parser.end());
  return tokens;
}
