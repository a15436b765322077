/**
 * `kvorum etcd`: a node started by etcd's own flags, so that a script that starts etcd starts
 * kvorum by one word more. The words behind it are read as Go reads them, not by yargs.
 */

import { ETCD_VERSION } from '../../../include/gateway.ts';
import type { CommandContext } from '../command-context.ts';
import { parseBoolean } from '../flag-values.ts';
import type { Flags } from '../settings.ts';
import { VERSION } from '../version.ts';
import { ETCD_FLAGS } from './flags.ts';

/** The word of the command. */
export const ETCD_WORD = 'etcd';

/** What of the command line asks for help, as Go has it. */
const HELP_WORDS = ['-h', '-help', '--h', '--help'];

/** The flags as completion knows them. */
export const ETCD_COMMAND_FLAGS: Flags = Object.fromEntries(
  [...ETCD_FLAGS].map(([name, { kind, text }]) => {
    const type = kind === 'boolean' ? ('boolean' as const) : ('string' as const);
    return [name, { type, describe: text }];
  }),
);

/** Runs the command. @param args the words behind `kvorum etcd` */
export async function etcdCommand(args: readonly string[], context: CommandContext): Promise<void> {
  const { write, environment } = context.terminal;
  if (args.some((word) => HELP_WORDS.includes(word))) return write(helpText());
  // A package that reads YAML comes with them: no other command should wait for that.
  const { optionOf, readOptions } = await import('./options.ts');
  const { given, warnings } = readOptions(args, environment);
  if (parseBoolean(optionOf(given, 'version'))) {
    return write(`etcd Version: ${ETCD_VERSION}\nkvorum Version: ${VERSION}\n`);
  }
  const { readPlan } = await import('./plan.ts');
  const plan = readPlan(given);
  const { runEtcd } = await import('./run-etcd.ts');
  await runEtcd({ ...plan, warnings: [...warnings, ...plan.warnings] }, context);
}

function helpText(): string {
  const lines = [
    'usage: kvorum etcd [flags]',
    '',
    'Starts a node by the flags of etcd. Each is also a variable, ETCD_DATA_DIR for --data-dir, or',
    'a line of the file that --config-file names.',
    '',
  ];
  const shown = [...ETCD_FLAGS].filter(([, { fate }]) => fate === 'used');
  for (const [name, { initial, text }] of shown) {
    lines.push(`  --${name} '${initial}'`, `    ${text}`);
  }
  const ignored = [...ETCD_FLAGS].filter(([, { fate }]) => fate === 'ignored');
  const refused = [...ETCD_FLAGS].filter(([, { fate }]) => fate === 'refused');
  lines.push('', 'Without effect, and warned about when given another value than the default:');
  for (const [name, { text }] of ignored) lines.push(`  --${name}: ${text}`);
  lines.push('', 'Refused when given another value than the default:');
  for (const [name, { text }] of refused) lines.push(`  --${name}: ${text}`);
  return `${lines.join('\n')}\n`;
}
