/**
 * The arguments of a command besides its flags, as text: yargs' own positionals would refuse values
 * that start with a dash even behind `--`, and count them with other words than etcdctl's.
 */

/** What yargs parsed: `_` holds the command's words, then the arguments before `--`. */
export type ParsedArguments = {
  readonly _: readonly (string | number)[];
  readonly '--'?: unknown;
};

/**
 * The arguments behind the command's words, on both sides of `--`.
 *
 * @param wordCount how many words name the command: 2 for `endpoint status`
 */
export function commandArguments(argv: ParsedArguments, wordCount = 1): string[] {
  return [...argumentsBefore(argv, wordCount), ...(argumentsBehind(argv) ?? [])];
}

/** The arguments behind the command's words and before `--`. */
export function argumentsBefore(argv: ParsedArguments, wordCount = 1): string[] {
  return argv._.slice(wordCount).map(String);
}

/** The arguments behind `--`; undefined when there is no `--`. */
export function argumentsBehind(argv: ParsedArguments): string[] | undefined {
  const behind = argv['--'];
  return Array.isArray(behind) ? behind.map(String) : undefined;
}
