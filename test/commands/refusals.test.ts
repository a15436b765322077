/** Command lines that are wrong: etcdctl's texts and exit codes, and no node is asked. */

import t from 'tap';
import { runCommand } from './fake-terminal.ts';

const HELP = "Run 'kvorum --help' for usage.";

const refusals: readonly (readonly [line: string, exitCode: number, ...lines: string[]])[] = [
  ['bogus', 1, 'unknown command "bogus" for "kvorum"', HELP],
  ['endpoint bogus', 1, 'unknown command "bogus" for "kvorum endpoint"'],
  ['endpoint', 1, 'endpoint needs a command: status, health or hashkv'],
  ['get a --foo', 1, 'unknown flag: --foo', HELP],
  ['get a --foo=1 --bar', 1, 'unknown flag: --foo', HELP],
  ['put a b --prefix', 1, 'unknown flag: --prefix', HELP],
  ['get a --no-prefix', 1, 'unknown flag: --no-prefix', HELP],
  ['get a -x', 1, "unknown shorthand flag: 'x' in -x", HELP],
  ['get a --limit', 1, 'flag needs an argument: --limit', HELP],
  [
    'get a --limit x',
    1,
    'invalid argument "x" for "--limit" flag: strconv.ParseInt: parsing "x": invalid syntax',
    HELP,
  ],
  [
    'get a --rev 99999999999999999999',
    1,
    'invalid argument "99999999999999999999" for "--rev" flag: ' +
      'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    HELP,
  ],
  [
    'get a --command-timeout x',
    1,
    'invalid argument "x" for "--command-timeout" flag: time: invalid duration "x"',
    HELP,
  ],
  ['get', 128, 'get command needs one argument as key and an optional argument as range_end'],
  ['del', 128, 'del command needs one argument as key and an optional argument as range_end'],
  ['del a b c', 128, 'del command needs one argument as key and an optional argument as range_end'],
  ['put', 128, 'put command needs 1 argument and input from stdin or 2 arguments'],
  ['put a b --ignore-value', 128, "put command needs only 1 argument when 'ignore-value' is set"],
  [
    'put a b --lease zz',
    128,
    'bad lease ID (strconv.ParseInt: parsing "zz": invalid syntax), expecting ID in Hex',
  ],
  [
    'put a b --lease 0x12',
    128,
    'bad lease ID (strconv.ParseInt: parsing "0x12": invalid syntax), expecting ID in Hex',
  ],
  [
    'put a b --lease 8000000000000000',
    128,
    'bad lease ID (strconv.ParseInt: parsing "8000000000000000": value out of range), ' +
      'expecting ID in Hex',
  ],
  [
    'get a --prefix --from-key',
    128,
    '`--prefix` and `--from-key` cannot be set at the same time, choose one',
  ],
  [
    'get a b --prefix',
    128,
    'too many arguments, only accept one argument when `--prefix` or `--from-key` is set',
  ],
  [
    'del a b --from-key',
    128,
    'too many arguments, only accept one argument when `--prefix` or `--from-key` is set',
  ],
  ['get a --print-value-only -w json', 128, 'print-value-only is only for `--write-out=simple`'],
  [
    'get a --count-only',
    128,
    '--count-only is only for `--write-out=fields` and `--write-out=json`',
  ],
  [
    'get a --count-only --keys-only -w json',
    128,
    '`--keys-only` and `--count-only` cannot be set at the same time, choose one',
  ],
  ['get a --consistency=x', 4, 'unknown consistency flag "x"'],
  ['get a --order=x', 4, 'bad sort order x'],
  ['get a --sort-by=x', 4, 'bad sort target x'],
  ['get a -w bogus', 4, 'unsupported output format'],
  ['put a b -w table', 4, 'table not supported as output format'],
  ['get a -w table', 4, 'table not supported as output format'],
  ['del a -w table', 4, 'table not supported as output format'],
  ['move-leader 1 -w fields', 4, 'fields not supported as output format'],
  ['get a -w protobuf', 4, 'unsupported output format'],
  ['txn -w table', 4, 'table not supported as output format'],
  ['watch', 128, 'bad number of arguments'],
  ['watch a b --prefix', 128, '`range_end` and `--prefix` are mutually exclusive'],
  [
    'watch a --rev x',
    1,
    'invalid argument "x" for "--rev" flag: strconv.ParseInt: parsing "x": invalid syntax',
    HELP,
  ],
  ['lease', 1, 'lease needs a command: grant, revoke, timetolive, list or keep-alive'],
  ['lease bogus', 1, 'unknown command "bogus" for "kvorum lease"'],
  ['lease grant', 128, 'lease grant command needs TTL argument'],
  ['lease grant 1 2', 128, 'lease grant command needs TTL argument'],
  ['lease grant x', 128, 'bad TTL (strconv.ParseInt: parsing "x": invalid syntax)'],
  ['lease revoke', 128, 'lease revoke command needs 1 argument'],
  [
    'lease revoke zz',
    128,
    'bad lease ID arg (strconv.ParseInt: parsing "zz": invalid syntax), expecting ID in Hex',
  ],
  ['lease timetolive', 128, 'lease timetolive command needs lease ID as argument'],
  ['lease keep-alive', 128, 'lease keep-alive command needs lease ID as argument'],
  ['lease list -w table', 4, 'table not supported as output format'],
  ['lock', 128, 'lock takes a lock name argument and an optional command to execute'],
  [
    'lock a --ttl x',
    1,
    'invalid argument "x" for "--ttl" flag: strconv.ParseInt: parsing "x": invalid syntax',
    HELP,
  ],
  ['lock a sh -c true', 1, "unknown shorthand flag: 'c' in -c", HELP],
  ['elect', 128, 'elect takes one election name argument and an optional proposal argument'],
  ['elect a b c', 128, 'elect takes one election name argument and an optional proposal argument'],
  ['elect a', 128, 'no proposal argument but -l not set'],
  ['elect a b -l', 128, 'proposal given but -l is set'],
  ['history', 128, 'history command needs 1 argument'],
  ['history a -w table', 4, 'table not supported as output format'],
  ['export a', 128, 'export command needs no arguments'],
  ['import a b', 128, 'import command needs at most 1 argument'],
  ['make-mirror', 128, 'make-mirror takes one destination argument'],
  ['make-mirror a:1 --max-txn-ops 0', 128, '--max-txn-ops must be 1 or more'],
  ['compaction', 128, 'compaction command needs 1 argument'],
  ['compaction 1 2', 128, 'compaction command needs 1 argument'],
  ['compaction x', 1, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ['move-leader', 128, 'move-leader command needs 1 argument'],
  ['move-leader zz', 128, 'strconv.ParseUint: parsing "zz": invalid syntax'],
  ['move-leader ffffffff', 128, 'strconv.ParseUint: parsing "ffffffff": value out of range'],
  [
    'get a --endpoints localhost',
    128,
    'bad endpoint "localhost": expected host:port, IPv6 addresses in brackets',
  ],
  ['get a --endpoints ,', 2, 'no endpoints are given: set --endpoints'],
];
for (const [line, exitCode, ...lines] of refusals) {
  t.test(`kvorum ${line}`, async (t) => {
    const outcome = await runCommand(line.split(' '));
    t.equal(outcome.err, `Error: ${lines.join('\n')}\n`);
    t.equal(outcome.exitCode, exitCode);
    t.equal(outcome.out, '');
  });
}

t.test('help is an answer, not an error', async (t) => {
  for (const line of [
    '',
    'help',
    'help get',
    'help endpoint health',
    '--help',
    'get --help',
    'endpoint --help',
    'endpoint status -h',
  ]) {
    const outcome = await runCommand(line.split(' ').filter((word) => word !== ''));
    t.match(outcome.out, /^kvorum .*\n/);
    t.match(outcome.out, '--command-timeout');
    t.equal(outcome.err, '');
    t.equal(outcome.exitCode, 0);
  }
});
