/** How yargs reads every command line, and the lines of a txn script and of `watch -i`. */

import yargs from 'yargs';
import type { Flags } from './settings.ts';

/** Nothing is guessed: numbers stay text, `--no-x` is a flag of its own, `--` is remembered. */
export const PARSER_CONFIGURATION = {
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'boolean-negation': false,
  'dot-notation': false,
  'duplicate-arguments-array': false,
  'populate--': true,
} as const;

/**
 * Reads the words of a command within a command: its own flags only, no global ones.
 *
 * @throws Error with yargs' words for a flag that it does not have
 */
export function parseInnerCommand<T extends Flags>(words: readonly string[], flags: T) {
  return yargs()
    .parserConfiguration(PARSER_CONFIGURATION)
    .locale('en')
    .options(flags)
    .help(false)
    .version(false)
    .strictOptions()
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((text, failure) => {
      throw failure ?? new Error(text);
    })
    .parseSync([...words]);
}
