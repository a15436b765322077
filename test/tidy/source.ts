/**
 * A source file as the tidy checks see it: its text, and the same text with what is not code
 * blanked out, so that a pattern for `Date` finds the clock and not a comment about it.
 *
 * A lexer, not a parser: it tells comments, strings, template text and regular expressions from
 * code, keeps every line break, and knows nothing else.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Source {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments blanked: same length, same lines. */
  readonly uncommented: string;
  /** The text with comments, strings, template text and regular expressions blanked. */
  readonly code: string;
}

type SpanKind = 'code' | 'comment' | 'literal';

interface Span {
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
}

export function createSource(path: string, text: string): Source {
  const spans = spansOf(text);
  const uncommented = blank(
    text,
    spans.filter(({ kind }) => kind === 'comment'),
  );
  const code = blank(
    text,
    spans.filter(({ kind }) => kind !== 'code'),
  );
  return { path, text, uncommented, code };
}

/** Reads every .ts file below the given folders of `root`, sorted by path. */
export function readSources(root: string, folders: readonly string[]): Source[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
    )
    .sort()
    .map((path) => createSource(path, readFileSync(join(root, path), 'utf8')));
}

/** The number of the line that holds `offset`, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function blank(text: string, spans: readonly Span[]): string {
  let result = '';
  let end = 0;
  for (const span of spans) {
    result += text.slice(end, span.start);
    result += text.slice(span.start, span.end).replace(/[^\n]/g, ' ');
    end = span.end;
  }
  return result + text.slice(end);
}

function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  /** Open braces since the start of each `${` that is still open, the innermost last. */
  const substitutions: number[] = [];
  let start = 0;

  while (start < text.length) {
    const character = text[start];
    const innermost = substitutions.length - 1;
    let end = start + 1;
    let kind: SpanKind = 'code';

    if (text.startsWith('//', start)) {
      kind = 'comment';
      end = found(text.indexOf('\n', start), text);
    } else if (text.startsWith('/*', start)) {
      kind = 'comment';
      end = found(text.indexOf('*/', start + 2) + 2, text);
    } else if (character === "'" || character === '"') {
      kind = 'literal';
      end = quoteEnd(text, start);
    } else if (character === '/' && startsRegExp(text, start)) {
      kind = 'literal';
      end = regExpEnd(text, start);
    } else if (character === '`' || (character === '}' && substitutions[innermost] === 0)) {
      if (character === '}') substitutions.pop();
      kind = 'literal';
      end = templateEnd(text, start + 1);
      if (text[end - 1] === '{') substitutions.push(0);
    } else if (innermost >= 0 && character === '{') {
      substitutions[innermost]! += 1;
    } else if (innermost >= 0 && character === '}') {
      substitutions[innermost]! -= 1;
    }
    spans.push({ kind, start, end });
    start = end;
  }
  return spans;
}

/** An offset found by indexOf, or the end of the text when it found nothing. */
function found(offset: number, text: string): number {
  return offset < 2 ? text.length : offset;
}

function quoteEnd(text: string, start: number): number {
  for (let offset = start + 1; offset < text.length; offset++) {
    if (text[offset] === '\\') offset += 1;
    else if (text[offset] === text[start] || text[offset] === '\n') return offset + 1;
  }
  return text.length;
}

/** Just past the backtick that ends the template, or past the `${` that interrupts it. */
function templateEnd(text: string, start: number): number {
  for (let offset = start; offset < text.length; offset++) {
    if (text[offset] === '\\') offset += 1;
    else if (text[offset] === '`') return offset + 1;
    else if (text.startsWith('${', offset)) return offset + 2;
  }
  return text.length;
}

/** A slash divides after a value, and starts a regular expression anywhere else. */
function startsRegExp(text: string, offset: number): boolean {
  const before = text.slice(Math.max(0, offset - 40), offset).trimEnd();
  return /(^|[(,=:[!&|?{};+\-*%~^<>]|\b(return|typeof|case|in|of|await|yield))$/.test(before);
}

function regExpEnd(text: string, start: number): number {
  let isInClass = false;
  for (let offset = start + 1; offset < text.length; offset++) {
    const character = text[offset];
    if (character === '\\') offset += 1;
    else if (character === '\n') return offset;
    else if (character === '[') isInClass = true;
    else if (character === ']') isInClass = false;
    else if (character === '/' && !isInClass) return offset + 1;
  }
  return text.length;
}
