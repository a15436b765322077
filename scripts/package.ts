/**
 * Packages build/ as one executable file, target/kvorum, for Linux on x64.
 *
 * 1. esbuild joins build/src/main.js and the packages it needs into one CommonJS file.
 * 2. pkg puts that file and lmdb's addon into a copy of the pinned Node runtime, as a Node
 *    single executable application. Its cache is primed with that runtime: nothing is downloaded.
 *
 * Rules for the code in src/, so that `node src/main.ts`, build/ and the binary behave alike:
 *
 * - No top-level await: CommonJS has none. `await import('x')` inside a function is fine, and keeps
 *   what a command does not need from being evaluated: modules are evaluated when first imported.
 * - In the binary every module is the one bundle: `import.meta.filename` and `import.meta.url` are
 *   main's, everywhere. So a worker thread runs main again: src/main.ts calls
 *   `new Worker(import.meta.filename, { workerData })`, or hands that name to those that do, and
 *   branches on `isMainThread`. It must be a path, not a URL; pkg loads the worker's source from
 *   inside the binary by it. `import.meta.dirname` leads nowhere: read no files relative to it.
 * - The thread that writes a store may be started by a thread that is not the main one, where pkg
 *   loads nothing from inside the binary: it is a bundle of its own, and the text of that bundle is
 *   part of the other.
 * - JSON comes by `import x from './x.json' with { type: 'json' }`, which the bundle includes.
 * - A package that starts worker threads by file name does not work: pino writes through a stream
 *   made in the same thread, never through a transport.
 */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const staging = join(root, 'build', 'package');
const home = join(root, 'build', 'home');
const output = join(root, 'target', 'kvorum');
const require = createRequire(import.meta.url);

/** The addon for Node-API and glibc: it fits every Node version. */
const ADDON = '@lmdb/lmdb-linux-x64/node.napi.glibc.node';
const ADDON_FINDER = 'node-gyp-build-optional-packages';

/** Replaces the search for addons: lmdb's is in the binary, msgpackr does without. */
const addons: Plugin = {
  name: 'addons',
  setup(esbuild) {
    esbuild.onResolve({ filter: new RegExp(`^${ADDON_FINDER}$`) }, ({ importer }) =>
      importer.includes('/node_modules/lmdb/')
        ? { path: join(import.meta.dirname, 'package-addon.ts') }
        : { path: importer, namespace: 'absent' },
    );
    esbuild.onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error('no addon'); }; // ${path}`,
    }));
  },
};

await main();

async function main(): Promise<void> {
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  mkdirSync(dirname(output), { recursive: true });
  rmSync(output, { force: true });

  const built = join(root, 'build', 'src');
  const thread = join(staging, 'lmdb-writer.cjs');
  await bundle(join(built, 'kvstore', 'lmdb-writer-thread.js'), thread, []);
  await bundle(join(built, 'main.js'), join(staging, 'kvorum.cjs'), [writerBody(thread)]);
  copyFileSync(require.resolve(ADDON), join(staging, 'lmdb.node'));
  writeFileSync(join(staging, 'package.json'), JSON.stringify(manifest(), null, 2));
  executable();
  process.stdout.write(`${output}: ${(statSync(output).size / 2 ** 20).toFixed(0)} MiB\n`);
}

/** Puts the code of the writer's thread in the place of its file's name. */
function writerBody(path: string): Plugin {
  const body = { code: readFileSync(path, 'utf8'), eval: true };
  return {
    name: 'writer body',
    setup(esbuild) {
      esbuild.onLoad({ filter: /lmdb-writer-body\.js$/ }, () => ({
        contents: `export const WRITER_BODY = ${JSON.stringify(body)};`,
      }));
    },
  };
}

async function bundle(entry: string, outfile: string, plugins: readonly Plugin[]): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Names stay readable in stack traces; the size is a hundredth of the runtime's.
    minify: false,
    legalComments: 'inline',
    logLevel: 'warning',
    supported: { 'dynamic-import': false },
    define: {
      'import.meta.filename': '__filename',
      'import.meta.dirname': '__dirname',
      'import.meta.url': '__kvorumUrl',
    },
    banner: { js: "const __kvorumUrl = require('node:url').pathToFileURL(__filename).href;" },
    plugins: [addons, ...plugins],
  });
}

/** The package that pkg packages. */
function manifest(): object {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return { name, version, bin: 'kvorum.cjs', pkg: { assets: ['lmdb.node'] } };
}

function executable(): void {
  const { version } = JSON.parse(readFileSync(require.resolve('node/package.json'), 'utf8'));
  primeCache(version);
  const pkg = join(dirname(require.resolve('@yao-pkg/pkg/package.json')), 'lib-es5', 'bin.js');
  const target = `node${version}-linux-x64`;
  execFileSync(
    process.execPath,
    [pkg, join(staging, 'package.json'), '--sea', '--targets', target, '--output', output],
    { cwd: root, env: { ...process.env, HOME: home }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
}

/**
 * Lays the pinned runtime where pkg looks for one that it has downloaded and unpacked: the archive,
 * here empty, and the runtime itself, each vouched for by a file `.ok`.
 */
function primeCache(version: string): void {
  const archive = join(home, '.pkg-cache', 'sea', `node-v${version}-linux-x64`);
  const runtime = join(archive, 'bin', 'node');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(dirname(runtime), { recursive: true });
  link(join(dirname(require.resolve('node/package.json')), 'bin', 'node'), runtime);
  for (const file of [`${archive}.tar.gz`, `${archive}.tar.gz.ok`, `${runtime}.ok`]) {
    writeFileSync(file, '');
  }
}

/** Links where the file system allows it, else copies: the runtime has 120 MiB. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
