/** `kvorum endpoint status|health|hashkv`: asks each endpoint by itself. */

import type { Argv, CommandModule, InferredOptionTypes } from 'yargs';
import { KvorumError } from '../../include/rpc.ts';
import { surveyCluster } from '../client/survey.ts';
import type { EndpointHealth, EndpointStatus } from '../client/terminal/printer.ts';
import { commandArguments } from './arguments.ts';
import {
  type CommandContext,
  type Invocation,
  openClient,
  openInvocation,
} from './command-context.ts';
import { CommandError, ExitCode, ReportedFailure } from './command-error.ts';
import { integerFlag } from './flag-values.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const ENDPOINT_FLAGS = {
  cluster: { type: 'boolean', describe: 'ask every member that the endpoints know of' },
} as const satisfies Flags;

/** The flags of hashkv. */
export const ENDPOINT_HASHKV_FLAGS = {
  ...ENDPOINT_FLAGS,
  rev: {
    type: 'string',
    requiresArg: true,
    describe: 'the newest revision in the hash',
    defaultDescription: 'the current one',
    coerce: integerFlag('rev'),
  },
} as const satisfies Flags;

type EndpointModule = CommandModule<object, InferredOptionTypes<typeof ENDPOINT_FLAGS>>;

/** The key that a health check reads; it need not exist. */
const HEALTH_KEY = 'health';

/** Makes the command. */
export function endpointCommand(context: CommandContext): CommandModule {
  return {
    command: 'endpoint',
    describe: 'ask each endpoint by itself',
    builder: (yargs: Argv) =>
      yargs
        .usage('$0 endpoint <command>')
        .command(endpointStatusCommand(context))
        .command(endpointHealthCommand(context))
        .command(endpointHashkvCommand(context)),
    handler: (argv) => {
      const [subcommand] = commandArguments(argv);
      const what =
        subcommand === undefined
          ? 'endpoint needs a command: status, health or hashkv'
          : `unknown command ${JSON.stringify(subcommand)} for "kvorum endpoint"`;
      throw new CommandError(ExitCode.Error, what);
    },
  };
}

function endpointStatusCommand(context: CommandContext): EndpointModule {
  return {
    command: 'status',
    describe: 'print the status of each endpoint',
    builder: (yargs) => yargs.usage('$0 endpoint status [flags]').options(ENDPOINT_FLAGS),
    handler: async (argv) => {
      const invocation = openInvocation(context, argv, 'endpointStatus');
      const endpoints = await chooseEndpoints(invocation, argv.cluster ?? false);
      const { answers, failures } = await askEach(
        context,
        endpoints,
        'get the status of endpoint',
        (endpoint) => invocation.client.status({ endpoint }),
      );
      const statuses: EndpointStatus[] = answers.map(([endpoint, status]) => ({
        endpoint,
        status,
      }));
      invocation.printer.endpointStatus(statuses);
      if (failures.length > 0) throw new ReportedFailure(ExitCode.Error);
    },
  };
}

function endpointHealthCommand(context: CommandContext): EndpointModule {
  return {
    command: 'health',
    describe: 'check that each endpoint can answer linearizable reads',
    builder: (yargs) => yargs.usage('$0 endpoint health [flags]').options(ENDPOINT_FLAGS),
    handler: async (argv) => {
      const invocation = openInvocation(context, argv, 'endpointHealth');
      const endpoints = await chooseEndpoints(invocation, argv.cluster ?? false);
      const healths = await Promise.all(
        endpoints.map((endpoint) => checkHealth(context, invocation, endpoint)),
      );
      invocation.printer.endpointHealth(healths);
      if (healths.some((health) => !health.isHealthy)) {
        throw new CommandError(ExitCode.Error, 'unhealthy cluster');
      }
    },
  };
}

function endpointHashkvCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof ENDPOINT_HASHKV_FLAGS>> {
  return {
    command: 'hashkv',
    describe: 'print a hash of the history of keys at each endpoint',
    builder: (yargs) => yargs.usage('$0 endpoint hashkv [flags]').options(ENDPOINT_HASHKV_FLAGS),
    handler: async (argv) => {
      const invocation = openInvocation(context, argv, 'endpointHash');
      const endpoints = await chooseEndpoints(invocation, argv.cluster ?? false);
      const revision = argv.rev ?? 0;
      const { answers, failures } = await askEach(
        context,
        endpoints,
        'get the hash of endpoint',
        (endpoint) => invocation.client.hashKv({ endpoint, revision }),
      );
      const hashes = answers.map(([endpoint, reply]) => ({ endpoint, reply }));
      invocation.printer.endpointHash(hashes);
      const last = failures.at(-1);
      if (last !== undefined) throw new CommandError(ExitCode.Error, last);
    },
  };
}

/** Asks each endpoint; says on the error output what failed, and returns it. */
export async function askEach<T>(
  { terminal }: CommandContext,
  endpoints: readonly string[],
  what: string,
  ask: (endpoint: string) => Promise<T>,
): Promise<{
  readonly answers: readonly (readonly [endpoint: string, answer: T])[];
  readonly failures: readonly string[];
}> {
  const settled = await Promise.allSettled(endpoints.map(ask));
  const answers: [string, T][] = [];
  const failures: string[] = [];
  for (const [slot, answer] of settled.entries()) {
    const endpoint = endpoints[slot] ?? '';
    if (answer.status === 'fulfilled') {
      answers.push([endpoint, answer.value]);
    } else {
      const reason = describeFailure(answer.reason);
      terminal.writeError(`Failed to ${what} ${endpoint} (${reason})\n`);
      failures.push(reason);
    }
  }
  return { answers, failures };
}

async function checkHealth(
  context: CommandContext,
  invocation: Invocation,
  endpoint: string,
): Promise<EndpointHealth> {
  const startedMs = performance.now();
  try {
    await openClient(context, invocation.settings, [endpoint]).get(HEALTH_KEY);
    return { endpoint, isHealthy: true, tookMs: performance.now() - startedMs, error: '' };
  } catch (failure) {
    const tookMs = performance.now() - startedMs;
    return { endpoint, isHealthy: false, tookMs, error: describeFailure(failure) };
  }
}

/** The endpoints given, or all members they know of. */
export async function chooseEndpoints(invocation: Invocation, cluster: boolean): Promise<string[]> {
  if (!cluster) return [...invocation.client.endpoints];
  const nodes = await surveyCluster(invocation.client);
  return nodes.map((node) => node.endpoint);
}

function describeFailure(failure: unknown): string {
  if (failure instanceof KvorumError) return failure.message;
  throw failure;
}
