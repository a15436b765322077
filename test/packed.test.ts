/**
 * The package as a user gets it: packed, put into an empty project, imported by name. Runs every
 * example of docs/EMBEDDING.md.
 */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import manifest from '../package.json' with { type: 'json' };
import { freePorts } from './free-ports.ts';

/** Runs a command as a user would: without what the test runner puts into every process. */
const PLAIN = ['-u', 'NODE_OPTIONS'];
const runFile = promisify(execFile);
const root = resolve(import.meta.dirname, '..');

async function run(file: string, args: readonly string[], cwd = root): Promise<string> {
  return (await runFile('env', [...PLAIN, file, ...args], { cwd })).stdout;
}

/** Makes a project that has the packed kvorum, and of its dependencies those named. */
async function createProject(packed: string, dependencies: readonly string[]): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'kvorum-project-'));
  const installed = join(project, 'node_modules', manifest.name);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', packed, '--strip-components=1', '-C', installed]);
  for (const name of dependencies) {
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module" }\n');
  return project;
}

/** The examples of the page: by the file name in each one's first line. */
async function readExamples(): Promise<Map<string, string>> {
  const page = await readFile(join(root, 'docs/EMBEDDING.md'), 'utf8');
  const blocks = page.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g);
  return new Map([...blocks].map(([, name, code]) => [name ?? '', code ?? '']));
}

const shelf = await mkdtemp(join(tmpdir(), 'kvorum-packed-'));
const told = await run('npm', ['pack', '--json', '--pack-destination', shelf]);
// What prepack prints comes before.
const [{ filename }] = JSON.parse(told.slice(told.indexOf('[\n')));
const project = await createProject(join(shelf, filename), Object.keys(manifest.dependencies));
const examples = await readExamples();
for (const [name, code] of examples) await writeFile(join(project, name), code);
t.teardown(async () => {
  for (const path of [shelf, project]) await rm(path, { recursive: true, force: true });
});

function runExample(name: string): Promise<string> {
  return run(process.execPath, [name], project);
}

t.test('the page has an example of each kind', async (t) => {
  t.strictSame([...examples.keys()], ['alone.mjs', 'member.mjs', 'raft.mjs']);
});

t.test('a node alone keeps what it was given, from one process to the next', async (t) => {
  t.equal(await runExample('alone.mjs'), 'hello at revision 2\n');
  t.equal(await runExample('alone.mjs'), 'hello at revision 3\n');
});

t.test('three programs with a member each are a cluster', async (t) => {
  const ports = (await freePorts(3)).map(String);
  const members = ['0', '1', '2'].map((id) => {
    const args = [...PLAIN, process.execPath, 'member.mjs', id, ...ports];
    const child = spawn('env', args, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
    return { id, child };
  });
  for (const { id, child } of members) {
    const [line] = await once(child.stdout, 'data');
    t.equal(String(line), `member ${id} has written\n`);
  }
  for (const { child } of members) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    t.strictSame(await ended, [0, null], 'it stops in order');
  }
});

t.test('three cores in one process agree', async (t) => {
  t.equal(await runExample('raft.mjs'), '1: x=1,y=2\n2: x=1,y=2\n3: x=1,y=2\n');
});

t.test('who only uses the client needs nothing of a node', async (t) => {
  const bare = await createProject(join(shelf, filename), []);
  t.teardown(() => rm(bare, { recursive: true, force: true }));
  const code = `
    import { connect } from 'kvorum';
    const client = connect({ endpoints: ['127.0.0.1:1'], requestTimeoutMs: 50 });
    await client.get('a').catch((error) => console.log(error.name));
    await client.close();
  `;
  const told = await run(process.execPath, ['--input-type=module', '-e', code], bare);
  t.equal(told, 'KvorumError\n');
});

t.test('the types say what the code does', async (t) => {
  const code = `
    import { connect, createLock, createNode, type Client, type EmbeddedNode } from 'kvorum';
    import { createRaft, type Raft, type RaftOptions } from 'kvorum/raft';
    const node: EmbeddedNode = await createNode({ dataDir: 'data' });
    const client: Client = node.client();
    const token: number = (await createLock(client, 'a').acquire()).token;
    export const core = (options: RaftOptions): Raft => createRaft(options);
    export const other: Client = connect({ endpoints: [String(token)] });
    // @ts-expect-error: a member needs to know which one it is
    await createNode({ dataDir: 'data', cluster: '0 localhost 7001' });
  `;
  await writeFile(join(project, 'types.ts'), code);
  const tsc = join(root, 'node_modules/.bin/tsc');
  const types = join(root, 'node_modules/@types');
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024'];
  const how = [...flags, '--typeRoots', types, '--types', 'node', '--skipLibCheck', 'types.ts'];
  t.equal(await run(tsc, how, project).catch((error) => error.stdout), '');
});
