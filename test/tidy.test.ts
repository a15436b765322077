/**
 * Style as a test. Each check is a function from sources to findings: it is run on the tree, where
 * it must find nothing, and on its canary, a source made to be wrong, which it must find.
 */

import { resolve } from 'node:path';
import t from 'tap';
import { BANS, findBans } from './tidy/bans.ts';
import {
  findCycles,
  findDirections,
  findUnreachable,
  importsOf,
  moduleOf,
} from './tidy/imports.ts';
import {
  COLUMNS_MAX,
  FUNCTION_LINES_MAX,
  findLongFunctions,
  findNames,
  findPromises,
  findSizes,
  findUndocumented,
  LINES_MAX,
  PROMISES,
} from './tidy/shape.ts';
import { createSource, readSources, type Source } from './tidy/source.ts';

const root = resolve(import.meta.dirname, '..');
const tree = readSources(root, ['include', 'scripts', 'src', 'test']);

const checks: readonly (readonly [string, (sources: readonly Source[]) => string[]])[] = [
  ['imports go one way', findDirections],
  ['no imports form a circle', findCycles],
  ['every file of src is part of a program', findUnreachable],
  ['banned calls stay out', findBans],
  ['names are in kebab-case and name something', findNames],
  ['files and lines are short', findSizes],
  ['functions are short', findLongFunctions],
  ['no comment promises work', findPromises],
  ['every export of the headers has a docstring', findUndocumented],
];
for (const [name, find] of checks) {
  t.test(name, async (t) => {
    t.strictSame(find(tree), []);
  });
}

/** A tree from pairs of path and text. */
function sources(...files: readonly (readonly [string, string])[]): Source[] {
  return files.map(([path, text]) => createSource(path, text));
}

t.test('the tree that is checked is the project', async (t) => {
  const paths = tree.map(({ path }) => path);
  for (const path of ['include/rpc.ts', 'src/assert.ts', 'test/tidy.test.ts']) {
    t.ok(paths.includes(path), path);
  }
});

t.test('code is told from comments, strings, templates and regular expressions', async (t) => {
  const cases = [
    ['a // Date', 'a        '],
    ['a /* Date\nDate */ b', 'a        \n        b'],
    ["x('Da\\'te', b)", 'x(        , b)'],
    ['x(`Date ${now} Date ${`${Date}`}`) + Date', 'x(        now            Date    ) + Date'],
    ['`${{ a: `}` }.a}` Date', '   { a:     }.a   Date'],
    ['x = /[/"]Date"/.test(y) / 2; Date', 'x =            .test(y) / 2; Date'],
    ['a / b / Date', 'a / b / Date'],
    ['"unfinished\nDate', '           \nDate'],
  ] as const;
  for (const [text, code] of cases) t.equal(createSource('a.ts', text).code, code, text);
});

t.test('imports of every form are seen', async (t) => {
  const text = [
    "import a from './a.ts';",
    "import type { B } from '../b.ts';",
    'import {',
    '  c,',
    "} from './c.ts';",
    "export { d } from './d.ts';",
    "import './e.ts';",
    "const f = await import('./f.ts');",
    "const g: import('./g.ts').G = f;",
    "new Worker(new URL('./h.ts', import.meta.url));",
    "import { i } from 'i';",
    "// import j from './j.ts';",
    'const k = "import k from \'./k.ts\'";',
  ].join('\n');
  const targets = importsOf(createSource('src/x/y.ts', text)).map(({ target }) => target);
  const files = ['a', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `src/x/${name}.ts`);
  t.strictSame(targets.toSorted(), [...files, 'src/b.ts', 'i'].toSorted());
});

t.test('files belong to modules by their folder', async (t) => {
  const cases = [
    ['include/rpc.ts', 'include'],
    ['src/main.ts', 'main'],
    ['src/kvorum.ts', 'kvorum'],
    ['src/raft.ts', 'raft'],
    ['src/raft/step.ts', undefined],
    ['src/ring.ts', 'leaf'],
    ['src/fifth-leaf.ts', undefined],
    ['src/node/wal.ts', 'node'],
    ['src/node/raft.ts', 'node'],
    ['src/node/raft/step.ts', 'node/raft'],
    ['src/rpc/deep/frame.ts', 'rpc'],
    ['src/toolbox/hammer.ts', undefined],
    ['test/tidy.test.ts', undefined],
  ] as const;
  for (const [path, module] of cases) t.equal(moduleOf(path), module, path);
});

const wrongImports = [
  ['include/rpc.ts', '../src/ring.ts', 'include imports src/ring.ts'],
  ['src/ring.ts', './clock.ts', 'leaf imports src/clock.ts'],
  ['src/rpc/frame.ts', '../kvstore/store.ts', 'rpc imports src/kvstore/store.ts'],
  ['src/kvstore/store.ts', '../rpc/frame.ts', 'kvstore imports src/rpc/frame.ts'],
  ['src/kvstore/store.ts', '../node/member.ts', 'kvstore imports src/node/member.ts'],
  ['src/node/raft/step.ts', '../wal.ts', 'node/raft imports src/node/wal.ts'],
  ['src/node/raft/step.ts', 'node:fs', 'node/raft imports the package node:fs'],
  ['src/node/member.ts', '../client/connect.ts', 'node imports src/client/connect.ts'],
  ['src/client/connect.ts', '../node/member.ts', 'client imports src/node/member.ts'],
  ['src/gateway/v3.ts', '../kvstore/store.ts', 'gateway imports src/kvstore/store.ts'],
  ['src/gateway/v3.ts', '../node/member.ts', 'gateway imports src/node/member.ts'],
  ['src/commands/put.ts', '../main.ts', 'commands imports src/main.ts'],
  ['src/main.ts', './node/member.ts', 'main imports src/node/member.ts'],
  ['src/kvorum.ts', './commands/put.ts', 'kvorum imports src/commands/put.ts'],
  ['src/raft.ts', './node/member.ts', 'raft imports src/node/member.ts'],
  ['src/client/connect.ts', '../kvorum.ts', 'client imports src/kvorum.ts'],
  ['src/rpc/frame.ts', '../../test/rpc/bytes.ts', 'rpc imports test/rpc/bytes.ts'],
] as const;
for (const [path, target, finding] of wrongImports) {
  t.test(`canary: ${finding}`, async (t) => {
    const text = `import type { X } from '${target}';`;
    t.strictSame(findDirections(sources([path, text])), [`${path}:1: ${finding}`]);
  });
}

t.test('canary: a file outside of all modules', async (t) => {
  t.strictSame(findDirections(sources(['src/fifth-leaf.ts', ''])), [
    'src/fifth-leaf.ts: lies in no module',
  ]);
});

t.test('canary: a circle, even of types', async (t) => {
  const circle = sources(
    ['src/rpc/a.ts', "import type { B } from './b.ts';"],
    ['src/rpc/b.ts', "import { c } from './c.ts';"],
    ['src/rpc/c.ts', "import { a } from './a.ts';"],
    ['src/rpc/d.ts', "import { a } from './a.ts';"],
  );
  t.strictSame(findCycles(circle), [
    'src/rpc/a.ts -> src/rpc/b.ts -> src/rpc/c.ts -> src/rpc/a.ts',
  ]);
  t.strictSame(findCycles(circle.slice(1)), []);
});

t.test('canary: a file that nothing imports, and one that only it imports', async (t) => {
  const files = sources(
    ['src/main.ts', "await import('./commands/put.ts');"],
    ['src/kvorum.ts', ''],
    ['src/raft.ts', ''],
    ['src/commands/put.ts', "import { ring } from '../ring.ts';"],
    ['src/ring.ts', ''],
    ['src/rpc/lost.ts', "import { x } from './lost-too.ts';"],
    ['src/rpc/lost-too.ts', ''],
  );
  t.strictSame(findUnreachable(files), [
    'src/rpc/lost.ts: nothing that runs imports it',
    'src/rpc/lost-too.ts: nothing that runs imports it',
  ]);
  t.strictSame(findUnreachable(files.slice(1, 3)), ['src/main.ts: is missing']);
});

for (const { name, example } of BANS) {
  t.test(`canary: ${name}`, async (t) => {
    const [path, line] = example;
    t.match(findBans(sources([path, `\n${line}`]))[0], `${path}:2: ${name}: `);
    t.strictSame(findBans(sources([path, `// ${line}`])), [], 'a comment about it is fine');
  });
}

t.test('a banned word is fine where it is another thing', async (t) => {
  const fine = [
    ['src/node/raft/step.ts', 'raft.process(message); const processed = { process: 1 };'],
    ['src/node/raft/step.ts', 'const updatedDate = 1; interface Y { performance?: number }'],
    ['src/rpc/pool.ts', 'const any = first(links); if (any.open) await Promise.any(all);'],
    ['src/clock.ts', 'export const nowMs = () => performance.now();'],
    ['src/commands/serve.ts', 'const random = Math.random();'],
    ['test/rpc/frame.test.ts', 'const start = Date.now();'],
  ] as const;
  for (const file of fine) t.strictSame(findBans(sources(file)), [], file[1]);
});

t.test('canary: names that are not kebab-case or name nothing', async (t) => {
  for (const path of ['src/rpc/frameEnd.ts', 'src/Rpc/frame.ts', 'src/rpc/frame_end.ts']) {
    t.strictSame(findNames(sources([path, ''])), [`${path}: not kebab-case`]);
  }
  t.match(findNames(sources(['src/rpc/utils.ts', ''])), ['src/rpc/utils.ts: utils names nothing']);
  t.match(findNames(sources(['src/common/a.ts', ''])), ['src/common/a.ts: common names nothing']);
  t.strictSame(findNames(sources(['test/node/raft-log.test.ts', ''])), []);
});

t.test('canary: a file or a line one over its limit', async (t) => {
  const lines = (count: number): Source[] => sources(['src/rpc/a.ts', 'x;\n'.repeat(count)]);
  t.strictSame(findSizes(lines(LINES_MAX)), []);
  t.strictSame(findSizes(lines(LINES_MAX + 1)), [`src/rpc/a.ts: ${LINES_MAX + 1} lines`]);
  const columns = (count: number): Source[] => sources(['src/rpc/a.ts', `\n${'é'.repeat(count)}`]);
  t.strictSame(findSizes(columns(COLUMNS_MAX)), []);
  t.strictSame(findSizes(columns(COLUMNS_MAX + 1)), [`src/rpc/a.ts:2: ${COLUMNS_MAX + 1} columns`]);
});

t.test('canary: a function or a method one line over its limit', async (t) => {
  const wrap = (count: number, indent: string, head: string): string =>
    [head, ...Array(count - 2).fill(`${indent}  x;`), `${indent}}`].join('\n');
  const cases = [
    ['step', (count: number) => wrap(count, '', 'export async function step(a: A): void {')],
    ['close', (count: number) => `class A {\n${wrap(count, '  ', '  async close() {')}\n}`],
  ] as const;
  for (const [name, text] of cases) {
    t.strictSame(findLongFunctions(sources(['src/rpc/a.ts', text(FUNCTION_LINES_MAX)])), []);
    const [finding] = findLongFunctions(sources(['src/rpc/a.ts', text(FUNCTION_LINES_MAX + 1)]));
    t.match(finding, `${name}: ${FUNCTION_LINES_MAX + 1} lines`);
  }
});

for (const word of PROMISES) {
  t.test(`canary: ${word}`, async (t) => {
    t.equal(findPromises(sources(['src/rpc/a.ts', `// ${word}: later`])).length, 1);
  });
}

t.test('canary: an export of a header without a docstring', async (t) => {
  const text = [
    '/** Documented. */',
    'export const Role = { Leader: 1 } as const;',
    'export type Role = (typeof Role)[keyof typeof Role];',
    'export interface Bare {',
    '  readonly a: number;',
    '}',
    "export type { Frame } from './rpc.ts';",
  ].join('\n');
  t.strictSame(findUndocumented(sources(['include/node.ts', text])), [
    'include/node.ts:4: Bare has no docstring',
  ]);
  t.strictSame(findUndocumented(sources(['src/node/role.ts', text])), []);
});
