/**
 * Keys and values: what is asked of them and what is answered. etcd v3's data model.
 * Part of include/kvstore.ts, which exports it.
 */

/** A key and its value as of some revision (etcd mvccpb.KeyValue). */
export type KeyValue = {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Revision of the put that created the key (after its last deletion). */
  readonly createRevision: number;
  /** Revision of the last put. */
  readonly modRevision: number;
  /** 1 at creation, one more each put. */
  readonly version: number;
  /** The lease the key hangs on; 0n for none. */
  readonly lease: bigint;
};

/** An empty `rangeEnd`: the single key. */
export const NO_RANGE_END: Buffer = Buffer.alloc(0);

/** `rangeEnd` of one zero byte: every key from `key` on. */
export const FROM_KEY: Buffer = Buffer.from([0]);

/** Order of a range's answer (etcd RangeRequest.sort_order). */
export const SortOrder = { None: 0, Ascend: 1, Descend: 2 } as const;
/** One of the values of SortOrder. */
export type SortOrder = (typeof SortOrder)[keyof typeof SortOrder];

/** What a range is sorted by (etcd RangeRequest.sort_target). */
export const SortTarget = { Key: 0, Version: 1, Create: 2, Mod: 3, Value: 4 } as const;
/** One of the values of SortTarget. */
export type SortTarget = (typeof SortTarget)[keyof typeof SortTarget];

/**
 * A read of one key, a range or a prefix (etcd RangeRequest).
 * Keys k with key <= k < rangeEnd; see NO_RANGE_END and FROM_KEY.
 */
export type RangeRequest = {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  /** Most pairs answered; 0 or less for all. Applied after filters and sorting. */
  readonly limit: number;
  /** The revision to read at; 0 or less for the newest. */
  readonly revision: number;
  readonly sortOrder: SortOrder;
  readonly sortTarget: SortTarget;
  /** Answer from this member's state at once, maybe stale. */
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Inclusive bounds on the pairs answered; 0 for none. `count` ignores them. */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
  /**
   * Bytes of keys and values after which the answer is cut, at least one pair is answered, as if
   * by a limit; 0 for none. For paging through a range in bounded memory.
   */
  readonly pageBytes: number;
  /** Leave `count` at 0: counting a wide range costs more than a page of it. */
  readonly uncounted: boolean;
};

/** The answer to a range. */
export type RangeResult = {
  /** The store's revision when it was read, not the one asked for. */
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  /** The limit cut the (filtered) answer. */
  readonly more: boolean;
  /** Keys in the range at that revision, whatever limit and filters. */
  readonly count: number;
};

/** A write of one key (etcd PutRequest). */
export type PutRequest = {
  readonly key: Buffer;
  readonly value: Buffer;
  /** The lease to hang the key on; 0n for none. */
  readonly lease: bigint;
  /** Answer with the pair as it was before. */
  readonly prevKv: boolean;
  /** Keep the current value; the key must exist. */
  readonly ignoreValue: boolean;
  /** Keep the current lease; the key must exist. */
  readonly ignoreLease: boolean;
};

/** The answer to a put. */
export type PutResult = {
  readonly revision: number;
  readonly prevKv: KeyValue | undefined;
};

/** A deletion of one key, a range or a prefix, in one revision (etcd DeleteRangeRequest). */
export type DeleteRangeRequest = {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly prevKv: boolean;
};

/** The answer to a deletion. */
export type DeleteRangeResult = {
  /** The revision made, or the current one when nothing matched. */
  readonly revision: number;
  readonly deleted: number;
  /** In key order, when asked for. */
  readonly prevKvs: readonly KeyValue[];
};

/** Makes all revisions below `revision` unreadable (etcd CompactionRequest). */
export type CompactRequest = {
  readonly revision: number;
  /** Answer only once this member has removed the data. */
  readonly physical: boolean;
};

/** The answer to a compaction. */
export type CompactResult = { readonly revision: number };

// ---- transactions ----

/** How a compare's operand relates to what is found (etcd Compare.CompareResult). */
export const CompareResult = { Equal: 0, Greater: 1, Less: 2, NotEqual: 3 } as const;
/** One of the values of CompareResult. */
export type CompareResult = (typeof CompareResult)[keyof typeof CompareResult];

/** What of a key is compared (etcd Compare.CompareTarget). */
export const CompareTarget = { Version: 0, Create: 1, Mod: 2, Value: 3, Lease: 4 } as const;
/** One of the values of CompareTarget. */
export type CompareTarget = (typeof CompareTarget)[keyof typeof CompareTarget];

/**
 * A condition on the state before the transaction: `found <result> operand` (etcd Compare).
 *
 * With a rangeEnd it must hold for every key of the range. An absent key, and an empty range, has
 * version, revisions and lease 0 and no value: comparing its value is false, NotEqual too.
 */
export type Compare = {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly result: CompareResult;
  readonly target: CompareTarget;
  /** The operand for Version, Create and Mod, a safe integer of either sign; 0 for the others. */
  readonly counter: number;
  /** The operand for Value; empty for the others. */
  readonly value: Buffer;
  /** The operand for Lease; 0n for the others. */
  readonly lease: bigint;
};

/** What an operation of a transaction is. The numbers travel on the wire. */
export const OpKind = { Range: 0, Put: 1, DeleteRange: 2, Txn: 3 } as const;
/** One of the values of OpKind. */
export type OpKind = (typeof OpKind)[keyof typeof OpKind];

/** An operation of a transaction (etcd RequestOp). */
export type TxnOp =
  | { readonly kind: typeof OpKind.Range; readonly request: RangeRequest }
  | { readonly kind: typeof OpKind.Put; readonly request: PutRequest }
  | { readonly kind: typeof OpKind.DeleteRange; readonly request: DeleteRangeRequest }
  | { readonly kind: typeof OpKind.Txn; readonly request: TxnRequest };

/**
 * A transaction (etcd TxnRequest): if all compares hold, `success` runs, else `failure`, in order
 * and in one revision. Compares, nested ones too, see the state before it; operations see what
 * earlier ones did. A refusal on the branch taken refuses all of it.
 */
export type TxnRequest = {
  readonly compares: readonly Compare[];
  readonly success: readonly TxnOp[];
  readonly failure: readonly TxnOp[];
};

/** The answer to an operation of a transaction. */
export type TxnOpResult =
  | { readonly kind: typeof OpKind.Range; readonly result: RangeResult }
  | { readonly kind: typeof OpKind.Put; readonly result: PutResult }
  | { readonly kind: typeof OpKind.DeleteRange; readonly result: DeleteRangeResult }
  | { readonly kind: typeof OpKind.Txn; readonly result: TxnResult };

/**
 * The answer to a transaction. The `revision` of an operation's answer is the one as of that
 * operation, as in etcd: the transaction's own from its first write on.
 */
export type TxnResult = {
  /** The revision made, or the current one when nothing was changed. */
  readonly revision: number;
  /** Whether all compares held. */
  readonly succeeded: boolean;
  /** Of the branch taken, one an operation. */
  readonly results: readonly TxnOpResult[];
};

/**
 * Most compares, and most operations of either branch, of a transaction (etcd --max-txn-ops). A
 * nested one may have what the largest of the three lists around it leaves over.
 */
export const TXN_OPS_MAX = 128;

/**
 * Most compares and operations of a transaction in all, nested ones and both branches included:
 * checking and applying it holds up everybody else.
 */
export const TXN_PARTS_MAX = 8_192;

/**
 * Most bytes of keys and values that a transaction with writes answers. With more it takes effect,
 * and is told AnswerForgotten: every member gathers the answer while it applies.
 */
export const TXN_ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Most transactions within each other, the outermost included: bounded by TXN_OPS_MAX as well. */
export const TXN_DEPTH_MAX = 16;
