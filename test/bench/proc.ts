/**
 * What /proc tells of a process: CPU time of all its threads and resident memory.
 *
 * RssAnon is memory that only the process accounts for; RssFile are pages of mapped files (LMDB's
 * and bbolt's databases, binaries), which the kernel may drop when it needs the room.
 */

import { readFileSync } from 'node:fs';

/** Microseconds of one clock tick of /proc/PID/stat: USER_HZ is 100 on Linux. */
const TICK_MICROS = 10_000;

/** Resident memory of a process, in bytes. */
export type Memory = {
  readonly rssBytes: number;
  readonly anonBytes: number;
};

/** CPU time the processes have used since they started, in microseconds, summed. */
export function cpuMicros(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold spaces: fields are counted from behind it. utime and stime
    // are fields 14 and 15 of the line, 12 and 13 of what follows the name's closing parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_MICROS;
}

/** Resident memory of a process now. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return { rssBytes: kibField(status, 'VmRSS'), anonBytes: kibField(status, 'RssAnon') };
}

/** The largest resident set and the largest anonymous part among the processes. */
export function memoryOfLargest(pids: readonly number[]): Memory {
  const all = pids.map(memoryOf);
  return {
    rssBytes: Math.max(...all.map((memory) => memory.rssBytes)),
    anonBytes: Math.max(...all.map((memory) => memory.anonBytes)),
  };
}

function kibField(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`/proc status has no ${name}`);
  return Number(match[1]) * 1024;
}
