/**
 * What is known of the process from outside its node: under the names that every exporter has. Read
 * in the gateway's thread, since counting ten thousand open files takes a while.
 */

import { readdirSync, readFileSync } from 'node:fs';
import type { MetricFamily } from '../../include/metrics.ts';
import type { Clock } from '../clock.ts';
import { counter, gauge } from '../metrics.ts';

/** Families of this process. Those that only Linux tells are left out elsewhere. */
export function processFamilies(clock: Pick<Clock, 'wallMs'>): MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const families = [
    counter(
      'process_cpu_seconds_total',
      'Processor time, user and system.',
      (user + system) / 1_000_000,
    ),
    gauge('process_resident_memory_bytes', 'Memory resident.', process.memoryUsage.rss()),
    gauge(
      'process_start_time_seconds',
      'When the process started, since 1970.',
      clock.wallMs() / 1_000 - process.uptime(),
    ),
  ];
  const openFiles = countOpenFiles();
  const limit = readFileLimit();
  if (openFiles !== undefined && limit !== undefined) {
    families.push(
      gauge('process_open_fds', 'Open files.', openFiles),
      gauge('process_max_fds', 'Most open files.', limit),
      gauge('os_fd_used', 'Open files.', openFiles),
      gauge('os_fd_limit', 'Most open files.', limit),
    );
  }
  return families;
}

function countOpenFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

function readFileLimit(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
