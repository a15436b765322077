/**
 * What a command runs in: a terminal, and clients that outlive it, so that the lines of a shell
 * share connections. One context a process or shell.
 */

import type { Worker } from 'node:worker_threads';
import type { Client, ClientEvent } from '../../include/client.ts';
import type { NodeId } from '../../include/node.ts';
import { connect } from '../client/connect.ts';
import { createFieldsPrinter } from '../client/terminal/fields-printer.ts';
import { createJsonPrinter } from '../client/terminal/json-printer.ts';
import { type Answer, hexId, type PairStyle, type Printer } from '../client/terminal/printer.ts';
import { createSimplePrinter } from '../client/terminal/simple-printer.ts';
import { createTablePrinter } from '../client/terminal/table-printer.ts';
import type { ListenPlace } from '../gateway/gateway.ts';
import type { ConnectionsMax } from '../rpc/connection-quota.ts';
import { CommandError, ExitCode } from './command-error.ts';
import type { Interrupts } from './interrupts.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Terminal } from './terminal.ts';

/** What a worker thread that runs a node is given. */
export type NodeWorkerData = {
  readonly kind: 'node';
  readonly id: NodeId;
  /** The flags of the command that started it. */
  readonly argv: Readonly<Record<string, unknown>>;
};

/** What a worker thread that runs a gateway is given. */
export type GatewayWorkerData = {
  readonly kind: 'gateway';
  /** Its node. */
  readonly id: NodeId;
  readonly clusterId: bigint;
  readonly listens: readonly ListenPlace[];
  /** Where its node listens, `host:port`. */
  readonly endpoint: string;
  /** What it has as a rule when left out. */
  readonly connectionsMax?: ConnectionsMax;
};

/** What a worker thread is given. */
export type WorkerData = NodeWorkerData | GatewayWorkerData;

/** A worker thread that runs a node says so when the node has started. */
export const StartedMessage = 'started';

/** Tells a worker thread to stop what it runs and end. */
export const StopMessage = 'stop';

/** Starts a worker thread: the program itself, not as the main thread. */
export type StartWorker = (data: WorkerData) => Worker;

/** What a command runs in. */
export type CommandContext = {
  readonly terminal: Terminal;
  /** Runs a command line within this context; never rejects. */
  readonly run: (args: readonly string[], context: CommandContext) => Promise<ExitCode>;
  /** The clients made so far, by what they were made from. */
  readonly clients: Map<string, Client>;
  /** Absent where an interrupt is a signal to the process. */
  readonly interrupts?: Interrupts;
  /** Absent in a shell, whose lines start no servers. */
  readonly startWorker?: StartWorker;
};

/** A command's flags, the cluster they point to and the format they ask for. */
export type Invocation = {
  readonly settings: Settings;
  readonly client: Client;
  readonly printer: Printer;
  /** How pairs are printed unless the command has flags for it. */
  readonly style: PairStyle;
};

/**
 * Reads the global flags of a command and makes what they ask for.
 *
 * @param answer what the command prints by the printer; undefined when it prints by itself
 * @throws CommandError, KvorumError for flags that make no sense, before any node is asked
 */
export function openInvocation(
  context: CommandContext,
  argv: Readonly<Record<string, unknown>>,
  answer: Answer | undefined,
): Invocation {
  const settings = readSettings(argv, context.terminal.environment);
  const printer = createPrinter(context.terminal, settings);
  if (answer !== undefined && printer.refused.includes(answer)) {
    const why = `${settings.format} not supported as output format`;
    throw new CommandError(ExitCode.BadFeature, why);
  }
  return {
    settings,
    client: openClient(context, settings, settings.endpoints),
    printer,
    style: { hex: settings.hex, keysOnly: false, valuesOnly: false },
  };
}

/** A client of these endpoints: a new one, or that of an earlier command with the same settings. */
export function openClient(
  context: CommandContext,
  settings: Settings,
  endpoints: readonly string[],
): Client {
  const { requestTimeoutMs, dialTimeoutMs, verbose } = settings;
  const name = JSON.stringify([endpoints, requestTimeoutMs, dialTimeoutMs, verbose]);
  const open = context.clients.get(name);
  if (open !== undefined) return open;

  const onEvent = (event: ClientEvent): void => {
    const line = describeEvent(event);
    if (line !== undefined) context.terminal.writeError(`${line}\n`);
  };
  const client = connect({
    endpoints,
    requestTimeoutMs,
    dialTimeoutMs,
    ...(verbose ? { onEvent } : {}),
  });
  context.clients.set(name, client);
  return client;
}

/** Closes every client of a context. */
export async function closeClients(context: CommandContext): Promise<void> {
  await Promise.all([...context.clients.values()].map((client) => client.close()));
  context.clients.clear();
}

function createPrinter(terminal: Terminal, settings: Settings): Printer {
  switch (settings.format) {
    case 'simple':
      return createSimplePrinter(terminal.write, terminal.writeError);
    case 'fields':
      return createFieldsPrinter(terminal.write);
    case 'json':
      return createJsonPrinter(terminal.write);
    case 'table':
      return createTablePrinter(terminal.write);
  }
}

/** What `--verbose` says of an event; nothing of connections that work. */
function describeEvent(event: ClientEvent): string | undefined {
  switch (event.kind) {
    case 'redirect': {
      const leader = `leader ${hexId(event.leaderId)} at ${event.leader}`;
      return `redirect: ${event.endpoint} -> ${leader}`;
    }
    case 'retry':
      return `retry: ${event.endpoint}: ${event.reason}`;
    case 'disconnected':
      return `disconnected: ${event.endpoint}: ${event.reason}`;
    case 'connected':
      return undefined;
  }
}
