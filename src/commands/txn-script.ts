/**
 * A txn script: compares, a blank line, the operations of success, a blank line, those of failure,
 * a blank line. What is wrong in it is told in etcdctl's words, with the line's number and what was
 * expected there.
 *
 * Source: etcdctl 3.4 txn.
 */

import type { Condition, Operation, Transaction } from '../../include/client.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { type Complaint, readCompare } from './txn-compare.ts';
import { readOperation } from './txn-operation.ts';

/** Where a script comes from. */
export type ScriptSource = {
  /** The next line, without its end; undefined at the end of the input. */
  readonly nextLine: () => Promise<string | undefined>;
  /** Told before each part what is to be typed; nobody when left out. */
  readonly prompt?: (text: string) => void;
  /** What becomes of the lines behind one that is refused: skipped, where they would run alone. */
  readonly rest: 'leave' | 'skip';
};

/** Parts of a script, each ended by a blank line. */
const PART_COUNT = 3;

/** Prompts, as etcdctl has them. */
const PROMPTS = {
  compares: 'compares:\n',
  success: 'success requests (get, put, del):\n',
  failure: 'failure requests (get, put, del):\n',
} as const;

/**
 * Reads a transaction.
 *
 * @throws CommandError BadInput; with the code of get, put or del for what these would refuse
 */
export async function readTransaction(source: ScriptSource): Promise<Transaction> {
  const { nextLine, prompt, rest } = source;
  let lineNumber = 0;
  let partCount = 0;

  /** Reads lines up to a blank one. */
  const readPart = async <T>(
    name: keyof typeof PROMPTS,
    read: (line: string) => T | Complaint,
  ): Promise<T[]> => {
    prompt?.(PROMPTS[name]);
    const found: T[] = [];
    for (;;) {
      const line = (await nextLine())?.trim();
      lineNumber += 1;
      if (line === undefined) {
        const why = `EOF; line ${lineNumber}: expected a blank line behind the ${name}`;
        throw new CommandError(ExitCode.BadInput, why);
      }
      if (line === '') {
        partCount += 1;
        return found;
      }
      try {
        found.push(acceptLine(line, lineNumber, read));
      } catch (refusal) {
        if (rest === 'skip') await skipParts(nextLine, PART_COUNT - partCount);
        throw refusal;
      }
    }
  };

  const when = await readPart<{ readonly condition: Condition }>('compares', readCompare);
  const then = await readPart<{ readonly operation: Operation }>('success', readOperation);
  const otherwise = await readPart<{ readonly operation: Operation }>('failure', readOperation);
  return {
    when: when.map(({ condition }) => condition),
    then: then.map(({ operation }) => operation),
    otherwise: otherwise.map(({ operation }) => operation),
  };
}

/** Reads to the end of so many parts. */
async function skipParts(nextLine: ScriptSource['nextLine'], count: number): Promise<void> {
  for (let left = count; left > 0; ) {
    const line = await nextLine();
    if (line === undefined) return;
    if (line.trim() === '') left -= 1;
  }
}

function acceptLine<T>(line: string, lineNumber: number, read: (line: string) => T | Complaint): T {
  const found = explainRefusal(line, lineNumber, () => read(line));
  if (!isComplaint(found)) return found;
  const why = `${found.text}; line ${lineNumber}: expected ${found.expected}`;
  throw new CommandError(ExitCode.BadInput, why);
}

/** What a command refuses keeps its code and text, and says which line it is about. */
function explainRefusal<T>(line: string, lineNumber: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(error.exitCode, `${error.message}; line ${lineNumber}: ${line}`);
  }
}

function isComplaint(found: unknown): found is Complaint {
  return typeof found === 'object' && found !== null && 'expected' in found;
}
