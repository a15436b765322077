/** The header `grpc-timeout`: up to eight digits and a unit. */

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Deadlines are rounded up to this: the client keeps its own, exactly. */
const GRAIN_MS = 50;

/** The longest a timer of the machine can wait. */
const FOREVER_MS = 2 ** 31 - 1;

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;

/** Whether a header can be understood. */
export function isTimeout(timeout: string): boolean {
  return TIMEOUT.test(timeout);
}

/** Milliseconds until a call is overdue; undefined when that is never. */
export function deadlineMs(timeout: string | undefined): number | undefined {
  if (timeout === undefined) return undefined;
  const match = TIMEOUT.exec(timeout);
  if (match === null) return undefined;
  const ms = Number(match[1]) * UNIT_MS[match[2]!]!;
  return Math.min(Math.ceil(ms / GRAIN_MS) * GRAIN_MS, FOREVER_MS);
}
