/**
 * Calls that are banned in some part of the tree, with what to use instead. Each rule carries an
 * example that it must catch: tidy.test.ts shows every rule its own.
 */

import { lineAt, type Source } from './source.ts';

export interface Ban {
  readonly name: string;
  readonly applies: (path: string) => boolean;
  /** Matched against code: comments and strings are blank. Global. */
  readonly pattern: RegExp;
  readonly instead: string;
  /** A line that the rule catches, in the file named. */
  readonly example: readonly [path: string, line: string];
}

const isCore = (path: string): boolean => path.startsWith('src/node/raft/');
const isStore = (path: string): boolean => path.startsWith('src/kvstore/');
const isDeterministic = (path: string): boolean => isCore(path) || isStore(path);
const isOurs = (path: string): boolean => /^(src|include)\//.test(path);

/** Only these make a real clock or real chance; the rest gets them as arguments. */
const makesReal = (path: string): boolean =>
  ['src/clock.ts', 'src/random.ts'].includes(path) || path.startsWith('src/commands/');

/** A name of the global scope: not a property, a key, or part of a longer name. */
function global(names: string): RegExp {
  return new RegExp(`(?<![.\\w$])(?:globalThis\\.)?(?:${names})\\b(?!\\??:)`, 'g');
}

export const BANS: readonly Ban[] = [
  {
    name: 'a clock in deterministic code',
    applies: isDeterministic,
    pattern: global('Date|performance'),
    instead: 'ticks, or a time that an entry carries',
    example: ['src/kvstore/apply.ts', 'const now = new Date();'],
  },
  {
    name: 'chance in deterministic code',
    applies: isDeterministic,
    pattern: global('Math\\.random|crypto'),
    instead: 'the injected generator',
    example: ['src/node/raft/tick.ts', 'const wait = Math.random() * 10;'],
  },
  {
    name: 'a timer in deterministic code',
    applies: isDeterministic,
    pattern: global('setTimeout|setInterval|setImmediate|clearTimeout|clearInterval'),
    instead: 'a count of ticks',
    example: ['src/kvstore/lease.ts', 'setTimeout(expire, 1000);'],
  },
  {
    name: 'the process in the core',
    applies: isCore,
    pattern: global('process'),
    instead: 'a field of the configuration',
    example: ['src/node/raft/log.ts', 'if (process.env.DEBUG) print(log);'],
  },
  {
    name: 'a promise or a task in the core',
    applies: isCore,
    pattern: global('Promise|async|await|queueMicrotask'),
    instead: 'a message to step',
    example: ['src/node/raft/step.ts', 'export async function step(): void {}'],
  },
  {
    name: 'a real clock',
    applies: (path) => isOurs(path) && !makesReal(path),
    pattern: /\b(?:performance\.now|Date\.now|process\.hrtime)\b|\bnew Date\(\s*\)/g,
    instead: 'the clock that is passed in',
    example: ['src/rpc/peer-link.ts', 'const sentAtMs = performance.now();'],
  },
  {
    name: 'real chance',
    applies: (path) => isOurs(path) && !makesReal(path),
    pattern: /\bMath\.random\b/g,
    instead: 'the generator that is passed in',
    example: ['src/client/retry.ts', 'const jitter = Math.random();'],
  },
  {
    name: 'the type any',
    applies: () => true,
    pattern: /(?:[:<|&,(]|\b(?:as|extends|satisfies))\s*any\b(?!\s*[.(:=])/g,
    instead: 'unknown, or the type',
    example: ['src/rpc/codec.ts', 'function decode(bytes: any): void {}'],
  },
];

export function findBans(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, code }) =>
    BANS.filter(({ applies }) => applies(path)).flatMap(({ name, pattern, instead }) =>
      [...code.matchAll(pattern)].map(
        ({ index }) => `${path}:${lineAt(code, index)}: ${name}: take ${instead}`,
      ),
    ),
  );
}
