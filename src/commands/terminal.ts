/**
 * What a command reads and writes: the process's own streams, or a shell's or test's.
 *
 * Output is gathered, so that a million lines are not a million system calls; whoever runs a
 * command flushes behind it.
 */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { LineQueue } from './line-queue.ts';

/** The streams and environment of a command. */
export type Terminal = {
  /** Adds to the standard output. */
  readonly write: (chunk: string | Buffer) => void;
  /** Adds to the error output, behind what was written so far. */
  readonly writeError: (chunk: string | Buffer) => void;
  readonly flush: () => void;
  /** Flushes, and waits while the output takes no more: what streams calls it now and then. */
  readonly drained: () => Promise<void>;
  /**
   * The next line of the input, without its end; undefined behind the last. Rejects with the reason
   * of `signal` when that aborts first.
   */
  readonly nextLine: (signal?: AbortSignal) => Promise<string | undefined>;
  /** The standard input; undefined where a command may not read it (a line of a shell). */
  readonly input: Readable | undefined;
  readonly output: Writable;
  /** Columns of the screen, for help texts. */
  readonly columns: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Gathered bytes at which they are written. */
const GATHER_BYTES = 64 * 1024;

/** Makes a terminal on three streams. */
export function createTerminal(
  streams: { input: Readable | undefined; output: Writable; errorOutput: Writable },
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let lines: LineQueue | undefined;
  const flush = (): void => {
    if (gatheredBytes > 0) streams.output.write(Buffer.concat(gathered));
    gathered = [];
    gatheredBytes = 0;
  };
  return {
    write: (chunk) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      gathered.push(bytes);
      gatheredBytes += bytes.length;
      if (gatheredBytes >= GATHER_BYTES) flush();
    },
    writeError: (chunk) => {
      flush();
      streams.errorOutput.write(chunk);
    },
    flush,
    drained: async () => {
      flush();
      if (streams.output.writableNeedDrain) await once(streams.output, 'drain');
    },
    nextLine: (signal) => {
      lines ??= readLines(streams.input);
      return lines.next(signal);
    },
    get input() {
      return streams.input;
    },
    output: streams.output,
    columns: 'columns' in streams.output ? Number(streams.output.columns) : 80,
    environment,
  };
}

function readLines(input: Readable | undefined): LineQueue {
  if (input === undefined) {
    const nothing = new LineQueue({ pause: () => {}, resume: () => {} });
    nothing.end();
    return nothing;
  }
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const lines = new LineQueue({ pause: () => reader.pause(), resume: () => reader.resume() });
  reader.on('line', (line) => lines.push(line));
  reader.on('close', () => lines.end());
  return lines;
}
