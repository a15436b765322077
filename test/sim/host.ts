/** Computers of the simulated world, and the processes that run on them. */

/** A computer. */
export type Host = {
  readonly name: string;
  /** Its place in the trace, from 1. */
  readonly number: number;
  /** Whether its kernel answers: not while the power is off. */
  isOn: boolean;
};

/** A process, from its start until it is killed. */
export type Process = {
  readonly host: Host;
  readonly onSettled: () => void;
  isDead: boolean;
  isFrozen: boolean;
  /** Events that wait for the thaw, oldest first. */
  parked: HostEvent[];
};

/** Something that will happen to a process, or to the world itself. */
export type HostEvent = {
  atMs: number;
  order: number;
  readonly process: Process | undefined;
  /** What it is, for the hash. */
  readonly kind: EventKind;
  readonly run: () => void;
  isCancelled: boolean;
};

/** Kinds of events. */
export const EventKind = {
  Fault: 1,
  Turn: 2,
  Timer: 3,
  Disk: 4,
  Arrival: 5,
  Store: 6,
  Work: 7,
} as const;
/** One of the values of EventKind. */
export type EventKind = (typeof EventKind)[keyof typeof EventKind];
