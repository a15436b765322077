/**
 * `kvorum import [file]`: puts the pairs of lines of JSON, as `kvorum export` writes them.
 *
 * Pairs are put in transactions, several under way at once; two writes of one key never are, so the
 * last line of a key wins. Run again, it puts the same once more: nothing else changes.
 */

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { CommandModule } from 'yargs';
import type { Client } from '../../include/client.ts';
import { ErrorCode, KvorumError } from '../../include/errors.ts';
import { TXN_OPS_MAX } from '../../include/kvstore.ts';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, exitCodeOf, refuseArguments } from './command-error.ts';
import { readFileLines } from './file-lines.ts';
import { untilInterrupted } from './interrupts.ts';
import { type PairRecord, type RecordLease, readRecord } from './pair-record.ts';
import { BATCH_BYTES, keyName, WriteBatch } from './write-batch.ts';

/** Transactions under way at once. */
const BATCHES_MAX = 8;

/** Longest line: the largest request, each byte written as an escape. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** Keys between two lines that say how far it is. */
const PROGRESS_KEYS = 100_000;

const USAGE = `$0 import [flags] [file]

Reads lines as \`kvorum export\` writes them, from the input when no file is given. A pair's
lease is granted anew, with its id and full time, unless it is there. Run again after a
failure, it puts the same pairs once more. What it has done it says on the error output.`;

/** Makes the command. */
export function importCommand(context: CommandContext): CommandModule {
  return {
    command: 'import',
    describe: 'put the pairs of lines of JSON',
    builder: (yargs) => yargs.usage(USAGE),
    handler: async (argv) => {
      const [path, ...rest] = commandArguments(argv);
      if (rest.length > 0) refuseArguments('import command needs at most 1 argument');
      const { client } = openInvocation(context, argv, undefined);
      const input = path === undefined ? context.terminal.input : createReadStream(path);
      if (input === undefined) refuseArguments('import command needs 1 argument in a shell');
      await untilInterrupted(context, (signal) => importPairs(context, client, input, signal));
    },
  };
}

async function importPairs(
  { terminal }: CommandContext,
  client: Client,
  input: Readable,
  signal: AbortSignal,
): Promise<void> {
  const importer = new Importer(client);
  let lineNumber = 0;
  let toldCount = PROGRESS_KEYS;
  try {
    for await (const line of readLines(input)) {
      lineNumber += 1;
      signal.throwIfAborted();
      if (line.trim() === '') continue;
      await importer.add(parseLine(line, lineNumber), lineNumber);
      if (importer.writtenCount >= toldCount) {
        terminal.writeError(`imported ${importer.writtenCount} keys so far\n`);
        toldCount += PROGRESS_KEYS;
      }
    }
    await importer.finish();
  } finally {
    await importer.settle();
    const { writtenCount, batchCount } = importer;
    terminal.writeError(`imported ${writtenCount} keys in ${batchCount} transactions\n`);
  }
}

async function* readLines(input: Readable): AsyncGenerator<string> {
  try {
    yield* readFileLines(input, LINE_BYTES_MAX);
  } catch (error) {
    throw new CommandError(ExitCode.BadFile, error instanceof Error ? error.message : `${error}`);
  }
}

function parseLine(line: string, lineNumber: number): PairRecord {
  try {
    return readRecord(line);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(ExitCode.BadInput, `line ${lineNumber}: ${why}`);
  }
}

/** A transaction under way. */
type Flight = { readonly keys: ReadonlySet<string>; readonly ended: Promise<void> };

/** Puts pairs, many under way at once. */
class Importer {
  writtenCount = 0;
  batchCount = 0;
  readonly #client: Client;
  readonly #flights: Set<Flight> = new Set();
  readonly #leases: Map<bigint, Promise<void>> = new Map();
  #batch: WriteBatch = newBatch();
  /** The leases that the batch needs. */
  #granted: Promise<void>[] = [];
  #firstLine = 0;
  #lastLine = 0;
  #failure: unknown;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Puts a pair, at once or with those that follow. Rejects with the failure of an earlier one. */
  async add({ key, value, lease }: PairRecord, lineNumber: number): Promise<void> {
    const sizeBytes = key.length + value.length;
    if (!this.#batch.fits([{ key, sizeBytes }])) await this.#send();
    const name = keyName(key);
    while ([...this.#flights].some(({ keys }) => keys.has(name))) await this.#landOne();
    if (this.#batch.count === 0) this.#firstLine = lineNumber;
    this.#lastLine = lineNumber;
    if (lease !== undefined) this.#granted.push(this.#ensureLease(lease, lineNumber));
    this.#batch.add(key, sizeBytes, { put: key, value, lease: lease?.id ?? 0n });
  }

  /** Puts what is left and waits for all. */
  async finish(): Promise<void> {
    await this.#send();
    while (this.#flights.size > 0) await this.#landOne();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for what is under way, whatever comes of it. */
  async settle(): Promise<void> {
    await Promise.all([...this.#flights].map(({ ended }) => ended));
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    if (batch.count === 0) return;
    const granted = this.#granted;
    const place = linesText(this.#firstLine, this.#lastLine);
    this.#batch = newBatch();
    this.#granted = [];
    while (this.#flights.size >= BATCHES_MAX) await this.#landOne();
    const ended = Promise.all(granted)
      .then(() => batch.write(this.#client))
      .then(
        () => {
          this.writtenCount += batch.count;
          this.batchCount += 1;
        },
        (error: unknown) => {
          this.#failure ??= explainFailure(error, place);
        },
      );
    const flight = { keys: batch.keys, ended };
    this.#flights.add(flight);
    void ended.then(() => this.#flights.delete(flight));
  }

  async #landOne(): Promise<void> {
    await Promise.race([...this.#flights].map(({ ended }) => ended));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Grants the lease, unless it is there. */
  #ensureLease({ id, ttlSeconds }: RecordLease, lineNumber: number): Promise<void> {
    let granted = this.#leases.get(id);
    if (granted === undefined) {
      granted = this.#client.grantLease(ttlSeconds, { id }).then(
        () => {},
        (error: unknown) => {
          const isThere = error instanceof KvorumError && error.code === ErrorCode.LeaseExists;
          if (!isThere) throw explainFailure(error, linesText(lineNumber, lineNumber));
        },
      );
      granted.catch(() => {}); // told by the batch that needs it
      this.#leases.set(id, granted);
    }
    return granted;
  }
}

function newBatch(): WriteBatch {
  return new WriteBatch({ operationsMax: TXN_OPS_MAX, bytesMax: BATCH_BYTES });
}

function linesText(first: number, last: number): string {
  return first === last ? `line ${first}` : `lines ${first} to ${last}`;
}

function explainFailure(error: unknown, place: string): unknown {
  if (!(error instanceof KvorumError)) return error;
  return new CommandError(exitCodeOf(error), `${place}: ${error.message}`);
}
