/**
 * docs/OPERATIONS.md cannot lie: what stands behind `$ ` in its blocks is run, in order, on a
 * cluster of three nodes that each chapter starts anew.
 *
 * A block says what it is: `console` is run; `console stopped` too, after all nodes were killed;
 * `root` needs root, systemd or a container and is not run; others are no commands. Addresses,
 * ports and directories are mapped to free ones: node 0 has the client port of 127.0.0.1. A server
 * runs on in the background once it has started.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { freePorts } from '../free-ports.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Places of the document. */
const PLACE = /(?:10\.0\.0\.\d+|127\.0\.0\.1):\d+/g;

/** Most blocks that are not run. */
const ROOT_BLOCKS_MAX = 6;

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
  #running: ChildProcess[] = [];

  constructor(directory: string, ports: ReadonlyMap<string, number>) {
    this.#directory = directory;
    this.#ports = ports;
  }

  /** The words of the document as they are here. */
  here(text: string): string {
    return text
      .replace(PLACE, (place) => `127.0.0.1:${this.#ports.get(place)}`)
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
        KVORUM_ENDPOINTS: this.here('10.0.0.1:7001,10.0.0.2:7001,10.0.0.3:7001'),
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
        done(code === 0 && !isServer ? undefined : `${command}: ${code ?? signal}: ${printed}`);
      });
    });
    const alarm = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS_MAX);
    const failure = await outcome;
    clearTimeout(alarm);
    return failure;
  }

  /** Kills all servers. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(
      running.map((child) => {
        if (child.exitCode !== null || child.signalCode !== null) return undefined;
        const ended = new Promise((done) => child.once('close', done));
        child.kill('SIGKILL');
        return ended;
      }),
    );
  }
}

async function createStage(t: Test, commands: readonly string[]): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-operations-'));
  const own = ['10.0.0.1:7001', '10.0.0.2:7001', '10.0.0.3:7001', '127.0.0.1:2379'];
  const named = commands.flatMap((command) => command.match(PLACE) ?? []);
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
  const known = ['console', 'console stopped', 'root', 'ini', 'yaml', 'json'];
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
    const nodes = [0, 1, 2].map((id) => {
      const flags = `--id ${id} --conf nodes.conf --data-dir /var/lib/kvorum/${id}`;
      return stage.run(`kvorum serve ${flags}`, id === 0 ? 'gateway started' : 'node started');
    });
    t.strictSame(await Promise.all(nodes), [undefined, undefined, undefined]);
    t.equal(await stage.run('kvorum put /old/key value'), undefined);
    for (const block of blocks) {
      if (block.kind === 'console stopped') await stage.stop();
      for (const command of block.commands) t.equal(await stage.run(command), undefined, command);
    }
  });
}
