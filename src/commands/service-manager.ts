/**
 * What systemd is told: that the node serves, that its event loop turns, that it stops. The states
 * are those of sd_notify(3); nothing is told where $NOTIFY_SOCKET is not set.
 *
 * The socket is one of datagrams, which Node cannot open, so that systemd's own `systemd-notify`
 * sends them. To start a process costs this one a copy of its page tables: its loop stands still
 * for 45 ms per GB it holds in memory (measured on Linux 6.18). So one shell is started before the
 * node opens, while it is small, and that shell starts `systemd-notify` for each line it reads. It
 * ends at the end of its input, however the node ends.
 *
 * The unit needs NotifyAccess=all: it is not the main process that sends.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Log } from '../../include/log.ts';
import type { Clock } from '../clock.ts';

/** Signals are for the node: the shell must live to tell that it stops. */
const TELL_EACH_LINE = `
  trap '' TERM INT HUP
  while read -r state; do systemd-notify "$state"; done
`;

/** Who started this process and waits to hear of it. */
export type ServiceManager = {
  /** The node serves. From here on each turn of the watchdog is told as well. */
  readonly ready: () => void;
  /** The node stops; the watchdog is fed until the process ends. */
  readonly stopping: () => void;
};

/**
 * Finds the service manager. To be called before the process has grown.
 *
 * @returns undefined when there is none
 */
export function findServiceManager(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  log: Log,
): ServiceManager | undefined {
  if (!environment.NOTIFY_SOCKET) return undefined;
  const shell = spawn('/bin/sh', ['-c', TELL_EACH_LINE], {
    env: environment,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const failed = (cause: Error): void =>
    log.warn('service manager cannot be told', { reason: cause.message });
  shell.on('error', failed);
  shell.stdin.on('error', failed);
  shell.unref();
  return {
    ready: () => {
      tell(shell, 'READY=1');
      const watchdogMs = readWatchdogMs(environment);
      if (watchdogMs !== undefined) clock.every(watchdogMs / 2, () => tell(shell, 'WATCHDOG=1'));
    },
    stopping: () => tell(shell, 'STOPPING=1'),
  };
}

function tell(shell: ChildProcess, state: string): void {
  if (shell.stdin?.writable) shell.stdin.write(`${state}\n`);
}

/** How long systemd waits between two signs of life; undefined when it does not. */
function readWatchdogMs(
  environment: Readonly<Record<string, string | undefined>>,
): number | undefined {
  const { WATCHDOG_PID: pid, WATCHDOG_USEC: micros } = environment;
  if (pid !== undefined && pid !== String(process.pid)) return undefined;
  return micros !== undefined && /^[1-9]\d{0,14}$/.test(micros) ? Number(micros) / 1000 : undefined;
}
