/**
 * From a command line to a command and an exit code. Nothing here ends the process: a shell runs
 * its lines the same way.
 */

import yargs, { type Argv } from 'yargs';
import { alarmCommand } from './alarm.ts';
import type { CommandContext } from './command-context.ts';
import { ExitCode, exitCodeOf, ReportedFailure, UsageError } from './command-error.ts';
import { compactionCommand } from './compaction.ts';
import { completeWords, PROGRAM_COMMANDS } from './completion.ts';
import { defragCommand } from './defrag.ts';
import { delCommand } from './del.ts';
import { devCommand } from './dev.ts';
import { electCommand } from './elect.ts';
import { endpointCommand } from './endpoint.ts';
import { ETCD_WORD, etcdCommand } from './etcd/etcd.ts';
import { exportCommand } from './export.ts';
import { getCommand } from './get.ts';
import { historyCommand } from './history.ts';
import { importCommand } from './import.ts';
import { leaseCommand } from './lease.ts';
import { lockCommand } from './lock.ts';
import { logLevelCommand } from './log-level.ts';
import { makeMirrorCommand } from './make-mirror.ts';
import { memberCommand } from './member.ts';
import { moveLeaderCommand } from './move-leader.ts';
import { PARSER_CONFIGURATION } from './parser-configuration.ts';
import { putCommand } from './put.ts';
import { serveCommand } from './serve.ts';
import { GLOBAL_FLAGS } from './settings.ts';
import { shellCommand } from './shell.ts';
import { COMPLETE_WORD, completionCommand } from './shell-completion.ts';
import { snapshotCommand } from './snapshot.ts';
import { statusCommand } from './status.ts';
import { topCommand } from './top.ts';
import { txnCommand } from './txn.ts';
import { versionCommand } from './version.ts';
import { watchCommand } from './watch.ts';

/** Widest help text, in columns. */
const HELP_COLUMNS_MAX = 100;

/**
 * Runs a command line. What the command prints is flushed, what it fails with is printed.
 *
 * @param args the words behind `kvorum`
 * @returns the exit code; never rejects for what a user can do wrong
 */
export async function run(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    await parse(args, context);
    return ExitCode.Success;
  } catch (failure) {
    reportFailure(failure, context);
    return exitCodeOf(failure);
  } finally {
    context.terminal.flush();
  }
}

async function parse(args: readonly string[], context: CommandContext): Promise<void> {
  // Words that are not finished: no parser would take them.
  if (args[0] === COMPLETE_WORD) return printCompletions(args.slice(1), context);
  // Flags as Go reads them.
  if (args[0] === ETCD_WORD) return etcdCommand(args.slice(1), context);
  let help = '';
  const parser = createParser(context);
  // `help get` is `get --help`: yargs knows the word as a flag only.
  const line = args[0] === 'help' ? [...args.slice(1), '--help'] : [...args];
  await parser.parseAsync(line, {}, (_error, _argv, output) => {
    help = output;
  });
  if (help !== '') context.terminal.write(`${help}\n`);
}

function printCompletions(words: readonly string[], { terminal }: CommandContext): void {
  for (const word of completeWords(words, PROGRAM_COMMANDS)) terminal.write(`${word}\n`);
}

function createParser(context: CommandContext): Argv {
  const parser = yargs()
    .scriptName('kvorum')
    .locale('en')
    .parserConfiguration(PARSER_CONFIGURATION)
    .usage('$0 <command>\n\nThe client of a kvorum cluster, and its server.')
    .options(GLOBAL_FLAGS)
    .group('help', 'Options:')
    .group(Object.keys(GLOBAL_FLAGS), 'Global options (also KVORUM_ENDPOINTS, ...):')
    .help('help')
    .alias('help', 'h')
    .version(false)
    .strictOptions()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(context.terminal.columns, HELP_COLUMNS_MAX))
    .fail((text, failure) => {
      throw failure instanceof Error && failure.name !== 'YError' ? failure : usageError(text);
    });
  return addCommands(parser, context).command({
    command: '$0',
    describe: false,
    handler: async (argv) => {
      const [command] = argv._;
      if (command !== undefined) {
        throw new UsageError(`unknown command ${JSON.stringify(command)} for "kvorum"`);
      }
      context.terminal.write(`${await parser.getHelp()}\n`);
    },
  });
}

/** Every command. Each module is cheap to load: what is not, its handler imports. */
function addCommands(parser: Argv, context: CommandContext): Argv {
  return parser
    .command(putCommand(context))
    .command(getCommand(context))
    .command(delCommand(context))
    .command(txnCommand(context))
    .command(watchCommand(context))
    .command(leaseCommand(context))
    .command(historyCommand(context))
    .command(lockCommand(context))
    .command(electCommand(context))
    .command(exportCommand(context))
    .command(importCommand(context))
    .command(makeMirrorCommand(context))
    .command(compactionCommand(context))
    .command(statusCommand(context))
    .command(topCommand(context))
    .command(logLevelCommand(context))
    .command(endpointCommand(context))
    .command(memberCommand(context))
    .command(alarmCommand(context))
    .command(snapshotCommand(context))
    .command(defragCommand(context))
    .command(moveLeaderCommand(context))
    .command(shellCommand(context))
    .command(serveCommand(context))
    .command(devCommand(context))
    .command(completionCommand(context))
    .command(versionCommand(context))
    .command({ command: ETCD_WORD, describe: "run one node by etcd's flags", handler: () => {} });
}

/** A complaint of yargs in etcdctl's words: yargs says what is wrong in its text only. */
function usageError(text: string): UsageError {
  const bare = /^Not enough arguments following: (.+)$/.exec(text)?.[1];
  if (bare !== undefined) return new UsageError(`flag needs an argument: --${bare}`);
  const unknown = /^Unknown arguments?: ([^,\s]+)/.exec(text)?.[1];
  if (unknown === undefined) return new UsageError(text);
  if (unknown.length > 1) return new UsageError(`unknown flag: --${unknown}`);
  return new UsageError(`unknown shorthand flag: '${unknown}' in -${unknown}`);
}

function reportFailure(failure: unknown, { terminal }: CommandContext): void {
  if (failure instanceof ReportedFailure) return;
  const text = failure instanceof Error ? failure.message : String(failure);
  terminal.writeError(`Error: ${text}\n`);
  if (failure instanceof UsageError) {
    terminal.writeError(`Run 'kvorum --help' for usage.\n`);
  }
}
