/** The shape of files: names, sizes, docstrings in the headers, no work left for later. */

import { basename } from 'node:path';
import { lineAt, type Source } from './source.ts';

export const LINES_MAX = 400;
export const COLUMNS_MAX = 100;
export const FUNCTION_LINES_MAX = 70;

const VAGUE_NAMES = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'index'];

/** Words that promise work; spelt in halves, for this file is checked as well. */
export const PROMISES = ['TO-DO', 'FIX-ME', 'XX-X', 'HA-CK'].map((word) => word.replace('-', ''));

export function findNames(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path }) => {
    const folders = path.split('/').slice(0, -1);
    const name = basename(path).replace(/(\.test)?\.ts$/, '');
    const words = [...folders, name];
    return [
      ...words.filter((word) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(word)).map(() => 'not kebab-case'),
      ...words.filter((word) => VAGUE_NAMES.includes(word)).map((word) => `${word} names nothing`),
    ].map((why) => `${path}: ${why}`);
  });
}

export function findSizes(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n');
    const findings = lines.flatMap((line, slot) => {
      const columns = [...line].length;
      return columns > COLUMNS_MAX ? [`${path}:${slot + 1}: ${columns} columns`] : [];
    });
    return lines.length > LINES_MAX ? [`${path}: ${lines.length} lines`, ...findings] : findings;
  });
}

const FUNCTION_START = /^(?:export )?(?:default )?(?:async )?function\b\*?\s*(\w*)/;
const CLASS_START = /^(?:export )?(?:default )?(?:abstract )?class\b/;
const METHOD_START =
  /^ {2}(?:(?:private|protected|public|static|override|async|get|set) )*(#?\w+)[(<]/;

/** Functions and methods that are too long. Biome's format says where each ends. */
export function findLongFunctions(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, code }) => {
    const lines = code.split('\n');
    let isInClass = false;
    return lines.flatMap((line, slot) => {
      if (CLASS_START.test(line)) isInClass = true;
      else if (line.startsWith('}')) isInClass = false;

      const start = FUNCTION_START.exec(line) ?? (isInClass ? METHOD_START.exec(line) : null);
      if (start === null) return [];
      const indent = /^ */.exec(line)![0];
      const end = /[;}]$/.test(line) ? slot : lines.indexOf(`${indent}}`, slot);
      const count = end - slot + 1;
      return count > FUNCTION_LINES_MAX ? [`${path}:${slot + 1}: ${start[1]}: ${count} lines`] : [];
    });
  });
}

export function findPromises(sources: readonly Source[]): string[] {
  const pattern = new RegExp(`\\b(?:${PROMISES.join('|')})\\b`, 'g');
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(
      ({ 0: word, index }) => `${path}:${lineAt(text, index)}: ${word}: do it or drop it`,
    ),
  );
}

const EXPORT = /^export (?:declare )?(?:abstract )?(\w+) (\w+)/;

/** Exports of the headers that say nothing about themselves. */
export function findUndocumented(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => path.startsWith('include/'))
    .flatMap(({ path, text }) => {
      const lines = text.split('\n');
      const documented = new Set<string>();
      return lines.flatMap((line, slot) => {
        const match = EXPORT.exec(line);
        if (match === null) return [];
        const [, kind, name] = match as unknown as [string, string, string];
        // `type X = (typeof X)[keyof typeof X]` is the other half of the constant X.
        if (kind === 'type' && documented.has(name)) return [];
        if (!lines[slot - 1]?.trimEnd().endsWith('*/')) {
          return [`${path}:${slot + 1}: ${name} has no docstring`];
        }
        documented.add(name);
        return [];
      });
    });
}
