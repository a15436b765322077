/**
 * A log in a file that others rename and cut: `reopen` starts it anew under its name.
 *
 * Lines are written at once, in the thread that logs. A line that cannot be written is dropped and
 * counted: a full disk of logs must not stop a node whose data is on another.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import type { Log } from '../../include/log.ts';
import { CommandError, ExitCode } from './command-error.ts';

/** A file that lines are added to. */
export class LogFile {
  readonly path: string;
  #descriptor: number;
  #droppedLines = 0;

  /** @throws CommandError when the file cannot be opened */
  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, 'a');
    } catch (cause) {
      const why = `cannot open the log file ${path} (${reasonOf(cause)})`;
      throw new CommandError(ExitCode.Error, `${why}: give a file in a directory to write to`);
    }
  }

  /** Adds a line, its line feed included. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    let offset = 0;
    try {
      while (offset < bytes.length) offset += writeSync(this.#descriptor, bytes, offset);
    } catch (cause) {
      // The first one is said where somebody may still read it.
      if (this.#droppedLines === 0) {
        const why = `cannot write to ${this.path} (${reasonOf(cause)})`;
        process.stderr.write(`${why}: lines are dropped until it is reopened or has space again\n`);
      }
      this.#droppedLines += 1;
    }
  }

  /** Opens the file that has its name now; when that fails, goes on with the one it has. */
  reopen(log: Log): void {
    try {
      const descriptor = openSync(this.path, 'a');
      closeSync(this.#descriptor);
      this.#descriptor = descriptor;
    } catch (cause) {
      log.warn('log file not reopened', { path: this.path, reason: reasonOf(cause) });
      return;
    }
    const droppedLines = this.#droppedLines;
    this.#droppedLines = 0;
    log.info('log file reopened', { path: this.path, droppedLines });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}
