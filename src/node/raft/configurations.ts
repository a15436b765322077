/**
 * The configurations that the log holds. The last one is in force, from where it is appended and
 * whether it is committed or not (thesis 4.1); when its entry is overwritten the one before it is
 * in force again. Those before are kept as long as the log's start needs them: whoever cuts the
 * log, takes a snapshot or notes how far the store is must say who belonged to the cluster there.
 *
 *   log:             start | 1 2 3 C 5 6 C 8
 *   configurations:      0         4     7     7 is in force; as of entry 6 it is 4's
 *
 * Invariants: indexes ascend; the first is not behind the log's start, all others are entries of
 * the log; there is always one.
 */

import type { Configuration, Entry, LogIndex } from '../../../include/node.ts';
import { EntryType } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { decodeConfiguration } from '../../configuration.ts';

/** A configuration and the place in the log that it came from. */
export type PlacedConfiguration = {
  readonly index: LogIndex;
  readonly configuration: Configuration;
};

/** The configurations of a log, ascending. */
export type Configurations = PlacedConfiguration[];

/** Those of a log that begins with `configuration` behind `index` and holds `entries`. */
export function createConfigurations(
  index: LogIndex,
  configuration: Configuration,
  entries: readonly Entry[],
): Configurations {
  const configurations = [{ index, configuration }];
  for (const entry of entries) noteEntry(configurations, entry);
  return configurations;
}

/** The one in force. */
export function newestOf(configurations: Configurations): PlacedConfiguration {
  const newest = configurations[configurations.length - 1];
  assert(newest !== undefined, 'a configuration is in force');
  return newest;
}

/** The one as of an entry: who belonged to the cluster when it was the last. */
export function configurationAsOf(configurations: Configurations, index: LogIndex): Configuration {
  let slot = configurations.length - 1;
  while (slot > 0 && configurations[slot]!.index > index) slot -= 1;
  const { index: since, configuration } = configurations[slot]!;
  assert(since <= index, 'what was in force is still known', since, index);
  return configuration;
}

/** An entry is appended: if it is a configuration, that one is in force. */
export function noteEntry(configurations: Configurations, entry: Entry): void {
  if (entry.type !== EntryType.Configuration) return;
  const configuration = decodeConfiguration(entry.data);
  assert(configuration !== undefined, 'only configurations that are ones are appended');
  assert(newestOf(configurations).index < entry.index, 'entries are appended', entry.index);
  configurations.push({ index: entry.index, configuration });
}

/** The entries from `index` on are overwritten: what was in force before is in force again. */
export function forgetFrom(configurations: Configurations, index: LogIndex): void {
  while (configurations.length > 1 && newestOf(configurations).index >= index) configurations.pop();
}

/** The log now starts behind `startIndex`: earlier places need not be known any more. */
export function forgetBefore(configurations: Configurations, startIndex: LogIndex): void {
  let count = 0;
  while (count + 1 < configurations.length && configurations[count + 1]!.index <= startIndex) {
    count += 1;
  }
  if (count > 0) configurations.splice(0, count);
}

/** Starts anew behind a snapshot. */
export function restoreConfigurations(
  configurations: Configurations,
  index: LogIndex,
  configuration: Configuration,
): void {
  configurations.length = 0;
  configurations.push({ index, configuration });
}
