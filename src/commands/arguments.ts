/**
 * The arguments of a command besides its flags, as text: yargs' own positionals would refuse values
 * that start with a dash even behind `--`, and count them with other words than etcdctl's.
 */

/**
 * The arguments behind the command's words.
 *
 * @param argv what yargs parsed: `_` holds the command's words, then the arguments
 * @param wordCount how many words name the command: 2 for `endpoint status`
 */
export function commandArguments(
  argv: { readonly _: readonly (string | number)[] },
  wordCount = 1,
): string[] {
  return argv._.slice(wordCount).map(String);
}
