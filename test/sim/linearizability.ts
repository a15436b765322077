/**
 * Whether a history is linearizable: whether its operations can be put into one order that a single
 * copy could have carried out, in which each stands between its beginning and its end.
 *
 * The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory
 * of what was tried ("Testing for Linearizability", 2017): an operation that could come next is
 * tried, and taken back when no order follows; the same set of operations that leads to the same
 * state is tried once.
 *
 * An operation whose outcome nobody knows has no end: it may take effect at any time after its
 * beginning, or never.
 *
 * Objects that do not concern each other are checked each by itself, which is the same and far
 * cheaper (Herlihy and Wing, 1990: linearizability is local).
 */

/** One copy of an object. */
export type Model<State, Operation> = {
  readonly initial: State;
  /** The state behind an operation; undefined when it cannot have happened in this state. */
  readonly step: (state: State, operation: Operation) => { readonly state: State } | undefined;
  /** Text that is the same for the same states only. */
  readonly keyOf: (state: State) => string;
};

/** An operation, and when it was under way. */
export type Interval<Operation> = {
  readonly operation: Operation;
  readonly invoked: number;
  /** Infinity: nobody knows whether it took effect. All finite times of a history differ. */
  readonly returned: number;
};

/** What a search came to. */
export const Verdict = {
  Linearizable: 'linearizable',
  NotLinearizable: 'not linearizable',
  /** Too much to try: nothing is known. */
  Undecided: 'undecided',
} as const;
/** One of the values of Verdict. */
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** A beginning or an end, in a list in the order of time. */
type Node = {
  /** Which operation. */
  readonly slot: number;
  /** Of a beginning: its end, if it has one. */
  readonly end: Node | undefined;
  readonly isBeginning: boolean;
  previous: Node | undefined;
  next: Node | undefined;
};

type Taken<State> = { readonly node: Node; readonly before: State; readonly beforeSet: bigint };

/** Steps after which a search gives up. */
export const STEPS_MAX = 1_000_000;

/** Searches for an order. */
export function checkLinearizability<State, Operation>(
  model: Model<State, Operation>,
  history: readonly Interval<Operation>[],
  stepsMax: number = STEPS_MAX,
): Verdict {
  const first = listOf(history);
  const tried = new Set<string>();
  const taken: Taken<State>[] = [];
  let open = history.filter(({ returned }) => returned < Number.POSITIVE_INFINITY).length;
  let state = model.initial;
  let set = 0n;
  let node = firstCandidate(first);
  for (let steps = 0; open > 0; steps += 1) {
    if (steps === stepsMax) return Verdict.Undecided;
    if (node === undefined) {
      // An end is reached whose operation finds no place: something before it was wrong.
      const last = taken.pop();
      if (last === undefined) return Verdict.NotLinearizable;
      unlift(last.node);
      if (last.node.end !== undefined) open += 1;
      state = last.before;
      set = last.beforeSet;
      node = nextCandidate(first, last.node);
      continue;
    }
    const stepped = model.step(state, history[node.slot]!.operation);
    const nextSet = set | (1n << BigInt(node.slot));
    if (stepped === undefined || !isNew(tried, nextSet, model.keyOf(stepped.state))) {
      node = nextCandidate(first, node);
      continue;
    }
    taken.push({ node, before: state, beforeSet: set });
    lift(node);
    if (node.end !== undefined) open -= 1;
    state = stepped.state;
    set = nextSet;
    node = firstCandidate(first);
  }
  return Verdict.Linearizable;
}

/**
 * An operation that could come next: it began before any other that is left ended. Those that have
 * an end are tried first: the others need not have happened.
 */
function firstCandidate(first: Node): Node | undefined {
  return scan(first.next, true) ?? scan(first.next, false);
}

/** The one to be tried after another. */
function nextCandidate(first: Node, node: Node): Node | undefined {
  const hasEnd = node.end !== undefined;
  return scan(node.next, hasEnd) ?? (hasEnd ? scan(first.next, false) : undefined);
}

function scan(from: Node | undefined, hasEnd: boolean): Node | undefined {
  for (let node = from; node?.isBeginning; node = node.next) {
    if ((node.end !== undefined) === hasEnd) return node;
  }
  return undefined;
}

function isNew(tried: Set<string>, set: bigint, stateKey: string): boolean {
  const key = `${set.toString(36)} ${stateKey}`;
  if (tried.has(key)) return false;
  tried.add(key);
  return true;
}

/** The beginnings and ends of a history, behind a node that is neither. */
function listOf<Operation>(history: readonly Interval<Operation>[]): Node {
  const moments: { readonly atMs: number; readonly node: Node }[] = [];
  history.forEach(({ invoked, returned }, slot) => {
    const isKnown = returned < Number.POSITIVE_INFINITY;
    const end = isKnown ? createNode(slot, false, undefined) : undefined;
    if (end !== undefined) moments.push({ atMs: returned, node: end });
    moments.push({ atMs: invoked, node: createNode(slot, true, end) });
  });
  moments.sort((one, other) => one.atMs - other.atMs);
  const first = createNode(-1, false, undefined);
  let previous = first;
  for (const { node } of moments) {
    node.previous = previous;
    previous.next = node;
    previous = node;
  }
  return first;
}

function createNode(slot: number, isBeginning: boolean, end: Node | undefined): Node {
  return { slot, isBeginning, end, previous: undefined, next: undefined };
}

/** Takes an operation out of the list. */
function lift(node: Node): void {
  takeOut(node);
  if (node.end !== undefined) takeOut(node.end);
}

/** Puts it back. Operations are put back in the opposite order. */
function unlift(node: Node): void {
  if (node.end !== undefined) putBack(node.end);
  putBack(node);
}

function takeOut({ previous, next }: Node): void {
  if (previous !== undefined) previous.next = next;
  if (next !== undefined) next.previous = previous;
}

function putBack(node: Node): void {
  if (node.previous !== undefined) node.previous.next = node;
  if (node.next !== undefined) node.next.previous = node;
}
