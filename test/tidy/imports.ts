/** Who imports whom: directions between modules, cycles, files that nothing imports. */

import { posix } from 'node:path';
import { lineAt, type Source } from './source.ts';

export interface Import {
  /** A path from the root of the repository for a file of ours, else the package as written. */
  readonly target: string;
  readonly isOurs: boolean;
  readonly line: number;
}

/**
 * The shared leaves: files in src/ itself that everyone may import and that import only assert and
 * headers.
 */
const LEAVES = ['assert', 'clock', 'configuration', 'metrics', 'random', 'ring'];

/** The modules, and which of them each may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  include: [],
  leaf: ['include'],
  rpc: ['include', 'leaf'],
  kvstore: ['include', 'leaf'],
  'node/raft': ['include', 'leaf'],
  node: ['include', 'leaf', 'rpc', 'kvstore', 'node/raft'],
  client: ['include', 'leaf', 'rpc'],
  gateway: ['include', 'leaf', 'rpc', 'client'],
  commands: ['include', 'leaf', 'rpc', 'kvstore', 'node', 'node/raft', 'client', 'gateway'],
  main: ['commands'],
  kvorum: ['include', 'leaf', 'rpc', 'node', 'client'],
  raft: ['include', 'node/raft'],
};

/** Even a leaf asserts. */
const ASSERT = 'src/assert.ts';

/** The modules that are a file in src/ itself: what starts there is said at ENTRIES. */
const ENTRY_MODULES = ['main', 'kvorum', 'raft'];

/** Modules that are one file each, or stand alone: they do not import their own kind. */
const SINGLE = ['leaf', ...ENTRY_MODULES];

/** Who may read package.json. */
const MANIFEST_READERS = ['main', 'commands', 'kvorum'];

/** Modules that import nothing from outside either: no package, not even Node's own. */
const PURE = ['include', 'node/raft'];

/** Where programs start: the command line, and what those import who import kvorum. */
const ENTRIES = ['src/main.ts', 'src/kvorum.ts', 'src/raft.ts'];

const PATTERNS = [
  /\b(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'/g,
  /\bimport\s*'([^']+)'/g,
  /\bimport\s*\(\s*'([^']+)'/g,
  /\bnew URL\(\s*'(\.[^']+)',\s*import\.meta\.url/g,
];

/** Everything that a file imports: values, types, and what it loads when it runs. */
export function importsOf(source: Source): Import[] {
  return PATTERNS.flatMap((pattern) =>
    [...source.uncommented.matchAll(pattern)]
      .filter((match) => source.code[match.index] !== ' ')
      .map((match) => {
        const name = match[1]!;
        const isOurs = name.startsWith('.');
        const target = isOurs ? posix.join(posix.dirname(source.path), name) : name;
        return { target, isOurs, line: lineAt(source.text, match.index) };
      }),
  ).sort((a, b) => a.line - b.line);
}

/** The module that a file belongs to, or undefined when it lies where no module does. */
export function moduleOf(path: string): string | undefined {
  const [top, second, third, fourth] = path.replace(/\.ts$/, '').split('/');
  if (path === 'package.json') return 'manifest';
  if (top === 'include' && third === undefined) return 'include';
  if (top !== 'src' || second === undefined) return undefined;
  if (third === undefined) {
    if (ENTRY_MODULES.includes(second)) return second;
    return LEAVES.includes(second) ? 'leaf' : undefined;
  }
  if (second === 'node' && third === 'raft' && fourth !== undefined) return 'node/raft';
  return !ENTRY_MODULES.includes(second) && second in ALLOWED ? second : undefined;
}

export function findDirections(sources: readonly Source[]): string[] {
  const findings: string[] = [];
  for (const source of sources.filter(({ path }) => /^(src|include)\//.test(path))) {
    const from = moduleOf(source.path);
    if (from === undefined) {
      findings.push(`${source.path}: lies in no module`);
      continue;
    }
    for (const { target, isOurs, line } of importsOf(source)) {
      const where = `${source.path}:${line}`;
      if (!isOurs) {
        if (PURE.includes(from)) findings.push(`${where}: ${from} imports the package ${target}`);
        continue;
      }
      const to = moduleOf(target);
      if (to === 'manifest' && MANIFEST_READERS.includes(from)) continue;
      if (from === 'leaf' && target === ASSERT) continue;
      const isAllowed =
        to !== undefined && (to === from ? !SINGLE.includes(from) : ALLOWED[from]!.includes(to));
      if (!isAllowed) findings.push(`${where}: ${from} imports ${target}`);
    }
  }
  return findings;
}

/** Circles of files, each named once by its first file; an import of types counts. */
export function findCycles(sources: readonly Source[]): string[] {
  const graph = graphOf(sources);
  const done = new Set<string>();
  const path: string[] = [];
  const findings: string[] = [];

  function visit(file: string): void {
    const slot = path.indexOf(file);
    if (slot >= 0) findings.push([...path.slice(slot), file].join(' -> '));
    if (slot >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  }

  for (const file of graph.keys()) visit(file);
  return findings;
}

/** Files of src/ that no program reaches, and entries that are not there. */
export function findUnreachable(sources: readonly Source[]): string[] {
  const graph = graphOf(sources);
  const reached = new Set<string>();
  const waiting = ENTRIES.filter((entry) => graph.has(entry));

  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    waiting.push(...(graph.get(file) ?? []));
  }
  const missing = ENTRIES.filter((entry) => !graph.has(entry));
  const lost = [...graph.keys()].filter((file) => file.startsWith('src/') && !reached.has(file));
  return [
    ...missing.map((file) => `${file}: is missing`),
    ...lost.map((file) => `${file}: nothing that runs imports it`),
  ];
}

function graphOf(sources: readonly Source[]): Map<string, string[]> {
  const targets = (source: Source): string[] =>
    importsOf(source)
      .filter(({ isOurs }) => isOurs)
      .map(({ target }) => target);
  return new Map(sources.map((source) => [source.path, targets(source)]));
}
