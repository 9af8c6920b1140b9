// What is wrong with YAML, in words that never quote it. Codes: `yaml`'s ErrorCode.
import type { ErrorCode } from 'yaml';

const messages: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias with properties',
  BAD_ALIAS: 'a bad alias',
  BAD_COLLECTION_TYPE: 'a tag that does not fit',
  BAD_DIRECTIVE: 'a bad directive',
  BAD_DQ_ESCAPE: 'an unknown \\ escape inside double quotes',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'an anchor or tag in the wrong place',
  BAD_SCALAR_START: 'text that starts with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key:" on the line of the first',
  BLOCK_IN_FLOW: 'an indented block inside [ ] or { }',
  DUPLICATE_KEY: 'duplicate key',
  IMPOSSIBLE: 'not YAML',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MISSING_CHAR: 'something is missing here: a ":", a ",", a closing quote or a closing bracket',
  MULTILINE_IMPLICIT_KEY: 'a key that goes over several lines; is a ":" missing?',
  MULTIPLE_ANCHORS: 'more than one anchor',
  MULTIPLE_DOCS: 'more than one document',
  MULTIPLE_TAGS: 'more than one tag',
  NON_STRING_KEY: 'a key that is not text',
  RESOURCE_EXHAUSTION: 'nested too deep',
  TAB_AS_INDENT: 'a tab in the indentation; YAML wants spaces',
  TAG_RESOLVE_FAILED: 'a tag that means nothing here',
  UNEXPECTED_TOKEN: 'this does not belong here',
};

// Reported where they stand, as what a fleet file may not have.
const reportedBefore: ReadonlySet<ErrorCode> = new Set([
  'BAD_ALIAS',
  'ALIAS_PROPS',
  'TAG_RESOLVE_FAILED',
  'BAD_DIRECTIVE',
]);

export function syntaxMessage(
  code: ErrorCode,
  text: string,
  offset: number,
): { readonly message: string; readonly hint?: string } | undefined {
  if (reportedBefore.has(code)) return undefined;
  // Near, not the whole line: a line can be the whole file, and there can be an error at each of its characters.
  const line = text.slice(Math.max(0, offset - 100), offset + 100);
  const message = messages[code];
  return /[[{,][^\n]*\$\{/.test(line)
    ? { message, hint: 'inside [ ] and { }, ${NAME} needs quotes: "${NAME}"' }
    : { message };
}
