/**
 * `kvorum top`: what every node does, looked at again and again and drawn in place. Where nobody
 * looks on (a pipe, a file) one table is printed, of one interval.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { CommandModule, InferredOptionTypes } from 'yargs';
import type { Client } from '../../include/client.ts';
import { KvorumError } from '../../include/rpc.ts';
import type { NodeSample } from '../client/node-rates.ts';
import { surveyCluster } from '../client/survey.ts';
import { drawTop, type TopNode } from '../client/terminal/top-table.ts';
import { createSystemClock } from '../clock.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { durationFlag } from './flag-values.ts';
import { releasingWhenInterrupted, whenAborted } from './interrupts.ts';
import { isOnScreen, Screen } from './screen.ts';
import type { Flags } from './settings.ts';

/** Least milliseconds between two looks. */
const INTERVAL_MS_MIN = 100;

/** Its flags. */
export const TOP_FLAGS = {
  interval: {
    type: 'string',
    requiresArg: true,
    describe: 'time between two looks',
    default: '1s',
    coerce: durationFlag('interval'),
  },
} as const satisfies Flags;

/** Makes the command. */
export function topCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof TOP_FLAGS>> {
  return {
    command: 'top',
    describe: 'show what every node does, over and over',
    builder: (yargs) => yargs.usage('$0 top [--interval 1s]').options(TOP_FLAGS),
    handler: async (argv) => {
      const intervalMs = argv.interval;
      if (intervalMs < INTERVAL_MS_MIN) {
        const what = `--interval ${intervalMs} ms: give at least ${INTERVAL_MS_MIN}ms`;
        throw new CommandError(ExitCode.Error, what);
      }
      const { client } = openInvocation(context, argv, undefined);
      const top = new Top(client);
      if (isOnScreen(context.terminal)) await showAlways(context, top, intervalMs);
      else await printOnce(context, top, intervalMs);
    },
  };
}

/** Until Ctrl-C, which is how it is meant to end. */
async function showAlways(context: CommandContext, top: Top, intervalMs: number): Promise<void> {
  const screen = new Screen(context.terminal);
  try {
    await releasingWhenInterrupted(context, async (signal) => {
      while (!signal.aborted) {
        const nodes = await Promise.race([top.look(), whenAborted(signal)]);
        if (nodes === undefined) return;
        screen.show(`${drawTop(nodes)}Ctrl-C ends\n`);
        await pause(intervalMs, undefined, { signal }).catch(() => {});
      }
    });
  } finally {
    screen.close();
  }
}

async function printOnce(context: CommandContext, top: Top, intervalMs: number): Promise<void> {
  await top.look();
  await pause(intervalMs);
  context.terminal.write(drawTop(await top.look()));
}

/** Looks at a cluster, and remembers what was there. */
class Top {
  readonly #client: Client;
  readonly #clock = createSystemClock();
  #before: ReadonlyMap<string, NodeSample> = new Map();

  constructor(client: Client) {
    this.#client = client;
  }

  async look(): Promise<TopNode[]> {
    const nodes = await surveyCluster(this.#client);
    const samples = await Promise.all(
      nodes.map(({ endpoint, status }) => (status === undefined ? undefined : this.#ask(endpoint))),
    );
    const before = this.#before;
    const now = new Map<string, NodeSample>();
    for (const [slot, { endpoint }] of nodes.entries()) {
      const sample = samples[slot];
      if (sample !== undefined) now.set(endpoint, sample);
    }
    this.#before = now;
    return nodes.map((node) => ({
      ...node,
      before: before.get(node.endpoint),
      now: now.get(node.endpoint),
    }));
  }

  async #ask(endpoint: string): Promise<NodeSample | undefined> {
    try {
      const { families } = await this.#client.metrics({ endpoint });
      return { families, atMs: this.#clock.nowMs() };
    } catch (failure) {
      if (!(failure instanceof KvorumError)) throw failure;
      return undefined;
    }
  }
}
