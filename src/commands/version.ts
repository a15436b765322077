/** `kvorum version`: what this binary is. */

import type { CommandModule } from 'yargs';
import { PROTOCOL_VERSION } from '../../include/rpc.ts';
import manifest from '../../package.json' with { type: 'json' };
import type { CommandContext } from './command-context.ts';

/** This release. */
export const VERSION: string = manifest.version;

/** Makes the command. */
export function versionCommand(context: CommandContext): CommandModule {
  return {
    command: 'version',
    describe: 'print the version',
    builder: (yargs) => yargs.usage('$0 version'),
    handler: () => {
      context.terminal.write(`kvorum version: ${VERSION}\n`);
      context.terminal.write(`protocol version: ${PROTOCOL_VERSION}\n`);
      context.terminal.write(`node version: ${process.versions.node}\n`);
    },
  };
}
