/**
 * What a protobuf message is made of, as tables: the files in src/gateway/schema are made from
 * proto/ and hold one for each message; the codecs walk them.
 *
 * A message is a plain object with every field set: a scalar that is not on the wire is its zero
 * (proto3), a message or a member of a oneof that is not there is undefined. 64-bit fields are
 * bigints, those marked JS_NUMBER are numbers, cut to what is exact: nothing counts further.
 */

/** What a field holds. */
export const Kind = {
  Bool: 0,
  /** Also the numbers of enumerations. */
  Int32: 1,
  Uint32: 2,
  Int64: 3,
  Uint64: 4,
  /** An int64 that is a number here. */
  Int64Number: 5,
  Uint64Number: 6,
  String: 7,
  Bytes: 8,
  Message: 9,
} as const;
/** One of the values of Kind. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The names of an enumeration's values, by their numbers. */
export type EnumType = { readonly name: string; readonly values: readonly string[] };

/** A field of a message. */
export type Field = {
  readonly number: number;
  readonly name: string;
  readonly kind: Kind;
  readonly isRepeated: boolean;
  /** Of a field of kind Message. */
  readonly message: MessageType | undefined;
  /** Of an Int32 that is an enumeration. */
  readonly values: EnumType | undefined;
  /** The name of the oneof that it is a member of. */
  readonly oneof: string | undefined;
};

/** What else a field may be. */
type FieldTraits = {
  readonly isRepeated?: boolean;
  readonly message?: MessageType;
  readonly values?: EnumType;
  readonly oneof?: string;
};

/** A message of some type, as its fields by name. */
export type Message = { [field: string]: unknown };

/** The type of a message. */
export class MessageType<T = unknown> {
  readonly name: string;
  /** Makes a message of zeros. */
  readonly create: () => T;
  readonly #list: () => readonly Field[];
  #fields: readonly Field[] | undefined = undefined;
  #byNumber: readonly (Field | undefined)[] | undefined = undefined;

  /** @param list tells the fields, ascending by number; called later: types may be circular */
  constructor(name: string, create: () => T, list: () => readonly Field[]) {
    this.name = name;
    this.create = create;
    this.#list = list;
  }

  /** Ascending by number. */
  get fields(): readonly Field[] {
    this.#fields ??= this.#list();
    return this.#fields;
  }

  /** By number; a number that is not used has none. */
  get byNumber(): readonly (Field | undefined)[] {
    if (this.#byNumber !== undefined) return this.#byNumber;
    const byNumber: (Field | undefined)[] = [];
    for (const field of this.fields) {
      while (byNumber.length < field.number) byNumber.push(undefined);
      byNumber.push(field);
    }
    this.#byNumber = byNumber;
    return byNumber;
  }
}

/** A method of a service. */
export type Method<Request = unknown, Response = unknown> = {
  readonly service: string;
  readonly name: string;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
  readonly streamsRequests: boolean;
  readonly streamsResponses: boolean;
  /** Where the JSON gateway has it; empty if it has not. */
  readonly httpPaths: readonly string[];
};

/** Makes a field. */
export function field(number: number, name: string, kind: Kind, traits: FieldTraits = {}): Field {
  const { isRepeated = false, message, values, oneof } = traits;
  return { number, name, kind, isRepeated, message, values, oneof };
}
