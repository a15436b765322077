/**
 * docs/OPERATIONS.md cannot lie: what stands behind `$ ` in its blocks is run, in order, on a
 * cluster of three nodes that each chapter starts anew.
 *
 * A block says what it is: `console` is run; `console stopped` too, after all nodes were killed;
 * `console differing` after the disk of each node had garbled a value in its own way;
 * `root` needs root, systemd or a container and is not run; others are no commands. Addresses,
 * ports and directories are mapped to free ones: node 0 has the client port of 127.0.0.1. A server
 * runs on in the background once it has started.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { connect } from '../../src/client/connect.ts';
import { freePorts } from '../free-ports.ts';
import { garble, PRECIOUS } from '../node/garble.ts';
import { nextTick } from './processes.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Places of the document, as endpoints and as lines of nodes.conf have them. */
const PLACE = /(10\.0\.0\.\d+|127\.0\.0\.1)([: ])(\d+)/g;

/** The nodes, as the document has them. */
const ENDPOINTS = ['10.0.0.1:7001', '10.0.0.2:7001', '10.0.0.3:7001'];

/** Most blocks that are not run. */
const ROOT_BLOCKS_MAX = 6;

/** Exit code of diff where there is a difference. */
const EXIT_DIFFERENT = 1;

/** How long a command may take, in milliseconds: not a limit on speed, but an end of waiting. */
const COMMAND_MS_MAX = 300_000;

t.setTimeout(1_800_000);

type Block = { readonly kind: string; readonly commands: readonly string[] };
type Chapter = { readonly title: string; readonly blocks: readonly Block[] };

function commandsOf(text: string): string[] {
  const lines = text.replaceAll('\\\n', '').split('\n');
  return lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
}

function readChapters(document: string): Chapter[] {
  const [, ...chapters] = document.split(/^## /m);
  return chapters.map((text) => ({
    title: text.split('\n')[0]!,
    blocks: [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, kind, body]) => ({
      kind: kind!,
      commands: commandsOf(body!),
    })),
  }));
}

/** A machine for one chapter: three nodes, and whatever its commands start. */
class Stage {
  readonly #directory: string;
  readonly #ports: ReadonlyMap<string, number>;
  /** Servers that were started. */
  #running: ChildProcess[] = [];

  constructor(directory: string, ports: ReadonlyMap<string, number>) {
    this.#directory = directory;
    this.#ports = ports;
  }

  /** The words of the document as they are here. */
  here(text: string): string {
    return text
      .replace(PLACE, (_, address, between, port) => {
        return `127.0.0.1${between}${this.#ports.get(`${address}:${port}`)}`;
      })
      .replaceAll('/var/', `${this.#directory}/`);
  }

  /** Runs a command to its end, or a server until it serves; says what went wrong. */
  async run(command: string, started = 'node started'): Promise<string | undefined> {
    const isServer = /^kvorum (serve|etcd) /.test(command);
    const child = spawn('bash', ['-c', `${isServer ? 'exec ' : ''}${this.here(command)}`], {
      cwd: this.#directory,
      env: {
        ...process.env,
        PATH: `${this.#directory}/bin:${process.env.PATH}`,
        KVORUM_ENDPOINTS: this.here(ENDPOINTS.join()),
        KVORUM_COMMAND_TIMEOUT: '60s',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (isServer) this.#running.push(child);
    let printed = '';
    const outcome = new Promise<string | undefined>((done) => {
      const hear = (chunk: Buffer): void => {
        printed += chunk;
        if (isServer && printed.includes(`"event":"${started}"`)) done(undefined);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('close', (code, signal) => {
        const isAsMeant = code === (command.startsWith('diff ') ? EXIT_DIFFERENT : 0) && !isServer;
        done(isAsMeant ? undefined : `${command}: ${code ?? signal}: ${printed}`);
      });
    });
    const alarm = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS_MAX);
    const failure = await outcome;
    clearTimeout(alarm);
    return failure;
  }

  /** Starts the three nodes. */
  async startNodes(...flags: readonly string[]): Promise<void> {
    const nodes = [0, 1, 2].map((id) => {
      const place = `--id ${id} --conf nodes.conf --data-dir /var/lib/kvorum/${id}`;
      const started = id === 0 ? 'gateway started' : 'node started';
      return this.run(['kvorum serve', place, ...flags].join(' '), started);
    });
    for (const failure of await Promise.all(nodes)) if (failure !== undefined) throw failure;
  }

  /** Has each disk garble a value in its own way; resolves when all nodes know that they differ. */
  async makeDiffer(): Promise<void> {
    await this.run(`kvorum put precious '${PRECIOUS}'`);
    await this.stop('SIGTERM');
    for (const id of [1, 2]) await garble(join(this.#directory, 'lib/kvorum', String(id)), id);
    await this.startNodes('--corrupt-check-time=1s');
    const client = connect({ endpoints: ENDPOINTS.map((place) => this.here(place)) });
    while ((await client.alarms()).alarms.length < 3) await nextTick();
    await client.close();
  }

  /** Ends all servers. */
  async stop(how: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(
      running.map((child) => {
        if (child.exitCode !== null || child.signalCode !== null) return undefined;
        const ended = new Promise((done) => child.once('close', done));
        child.kill(how);
        return ended;
      }),
    );
  }
}

async function createStage(t: Test, commands: readonly string[]): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-operations-'));
  const own = [...ENDPOINTS, '127.0.0.1:2379'];
  const named = commands.flatMap((command) => {
    return [...command.matchAll(PLACE)].map(([, address, , port]) => `${address}:${port}`);
  });
  const places = [...new Set([...own, ...named])];
  const ports = await freePorts(places.length);
  const stage = new Stage(directory, new Map(places.map((place, slot) => [place, ports[slot]!])));
  t.teardown(async () => {
    await stage.stop();
    await rm(directory, { recursive: true, force: true });
  });
  for (const name of ['bin', 'lib/kvorum', 'backups']) {
    await mkdir(join(directory, name), { recursive: true });
  }
  const program = `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, 'src/main.ts')} "$@"\n`;
  await writeFile(join(directory, 'bin', 'kvorum'), program, { mode: 0o755 });
  const [first, second, third, client] = ports;
  const lines = [`${first} client=${client}`, second, third];
  const conf = lines.map((line, id) => `${id} 127.0.0.1 ${line}\n`);
  await writeFile(join(directory, 'nodes.conf'), conf.join(''));
  return stage;
}

const document = await readFile(join(ROOT, 'docs/OPERATIONS.md'), 'utf8');
const chapters = readChapters(document);

t.test('every block says what it is, and few are not run', async (t) => {
  const blocks = chapters.flatMap((chapter) => chapter.blocks);
  const known = ['console', 'console stopped', 'console differing', 'root', 'ini', 'yaml', 'json'];
  t.strictSame(
    blocks.map(({ kind }) => kind).filter((kind) => !known.includes(kind)),
    [],
  );
  t.ok(blocks.filter(({ kind }) => kind === 'root').length <= ROOT_BLOCKS_MAX);
  for (const { kind, commands } of blocks) {
    t.equal(commands.length > 0, kind.startsWith('console'), `${kind}: ${commands[0]}`);
  }
});

for (const { title, blocks } of chapters) {
  const commands = blocks.flatMap((block) => block.commands);
  if (commands.length === 0) continue;
  t.test(`the commands of "${title}" are as they are said to be`, async (t) => {
    const stage = await createStage(t, commands);
    await stage.startNodes();
    t.equal(await stage.run('kvorum put /old/key value'), undefined);
    for (const block of blocks) {
      if (block.kind === 'console stopped') await stage.stop();
      if (block.kind === 'console differing') await stage.makeDiffer();
      for (const command of block.commands) t.equal(await stage.run(command), undefined, command);
    }
  });
}
