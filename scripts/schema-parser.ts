/**
 * Reads the part of the proto3 language that proto/ uses: imports, messages, enumerations, oneofs,
 * services, and of options `jstype` and `google.api.http`.
 */

/** A field of a message. */
export type ProtoField = {
  readonly name: string;
  readonly number: number;
  /** As written: a scalar's name or a path to a message or enumeration. */
  readonly type: string;
  readonly isRepeated: boolean;
  /** Marked `jstype = JS_NUMBER`. */
  readonly isNumber: boolean;
  readonly oneof: string | undefined;
};

/** An enumeration: names by number, from 0 without a gap. */
export type ProtoEnum = { readonly name: string; readonly values: readonly string[] };

/** A message. */
export type ProtoMessage = {
  readonly name: string;
  readonly fields: ProtoField[];
  readonly enums: ProtoEnum[];
};

/** A method of a service. */
export type ProtoMethod = {
  readonly name: string;
  readonly request: string;
  readonly response: string;
  readonly streamsRequests: boolean;
  readonly streamsResponses: boolean;
  readonly httpPaths: readonly string[];
};

/** A service. */
export type ProtoService = { readonly name: string; readonly methods: readonly ProtoMethod[] };

/** A file. */
export type ProtoFile = {
  readonly name: string;
  /** Its comment, without slashes. */
  readonly comment: string;
  readonly package: string;
  readonly imports: readonly string[];
  readonly messages: readonly ProtoMessage[];
  readonly enums: readonly ProtoEnum[];
  readonly services: readonly ProtoService[];
};

const TOKEN = /\s+|\/\/[^\n]*|("[^"]*"|[A-Za-z_][\w.]*|\d+|[{}()[\]=;,:])/gy;

/** Reads a file. @throws Error that names file and place */
export function parseProto(name: string, text: string): ProtoFile {
  return new Parser(name, text).file();
}

class Parser {
  readonly #name: string;
  readonly #comment: string;
  readonly #tokens: string[] = [];
  #slot = 0;

  constructor(name: string, text: string) {
    this.#name = name;
    this.#comment = /^\/\/ (.*)/.exec(text)?.[1] ?? '';
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (match === null) throw new Error(`${name}: cannot read ${text.slice(at, at + 20)}`);
      if (match[1] !== undefined) this.#tokens.push(match[1]);
    }
  }

  file(): ProtoFile {
    let packageName = '';
    const imports: string[] = [];
    const messages: ProtoMessage[] = [];
    const enums: ProtoEnum[] = [];
    const services: ProtoService[] = [];
    while (this.#slot < this.#tokens.length) {
      const word = this.#take();
      if (word === 'syntax') this.#expect('=', '"proto3"', ';');
      else if (word === 'package') packageName = this.#statement();
      else if (word === 'import') imports.push(this.#statement().slice(1, -1));
      else if (word === 'message') messages.push(this.#message());
      else if (word === 'enum') enums.push(this.#enum());
      else if (word === 'service') services.push(this.#service());
      else throw this.#error(word);
    }
    const { name, comment } = { name: this.#name, comment: this.#comment };
    return { name, comment, package: packageName, imports, messages, enums, services };
  }

  #message(): ProtoMessage {
    const message: ProtoMessage = { name: this.#take(), fields: [], enums: [] };
    this.#expect('{');
    while (!this.#skip('}')) {
      const word = this.#take();
      if (word === 'enum') message.enums.push(this.#enum());
      else if (word === 'oneof') {
        const oneof = this.#take();
        this.#expect('{');
        while (!this.#skip('}')) message.fields.push(this.#field(this.#take(), oneof));
      } else message.fields.push(this.#field(word, undefined));
    }
    return message;
  }

  #field(word: string, oneof: string | undefined): ProtoField {
    const isRepeated = word === 'repeated';
    const type = isRepeated ? this.#take() : word;
    const name = this.#take();
    this.#expect('=');
    const number = Number(this.#take());
    const isNumber = this.#skip('[');
    if (isNumber) this.#expect('jstype', '=', 'JS_NUMBER', ']');
    this.#expect(';');
    return { name, number, type, isRepeated, isNumber, oneof };
  }

  #enum(): ProtoEnum {
    const name = this.#take();
    const values: string[] = [];
    this.#expect('{');
    while (!this.#skip('}')) {
      values.push(this.#take());
      this.#expect('=', String(values.length - 1), ';');
    }
    return { name, values };
  }

  #service(): ProtoService {
    const name = this.#take();
    const methods: ProtoMethod[] = [];
    this.#expect('{');
    while (!this.#skip('}')) methods.push(this.#method());
    return { name, methods };
  }

  #method(): ProtoMethod {
    this.#expect('rpc');
    const name = this.#take();
    this.#expect('(');
    const streamsRequests = this.#skip('stream');
    const request = this.#take();
    this.#expect(')', 'returns', '(');
    const streamsResponses = this.#skip('stream');
    const response = this.#take();
    this.#expect(')');
    const httpPaths = this.#skip(';') ? [] : this.#httpPaths();
    return { name, request, response, streamsRequests, streamsResponses, httpPaths };
  }

  /** The paths of the option google.api.http, whatever else it says. */
  #httpPaths(): string[] {
    const paths: string[] = [];
    this.#expect('{', 'option', '(', 'google.api.http', ')', '=');
    let depth = 0;
    do {
      const word = this.#take();
      if (word === '{') depth += 1;
      else if (word === '}') depth -= 1;
      else if (word === 'post') {
        this.#expect(':');
        paths.push(this.#take().slice(1, -1));
      }
    } while (depth > 0);
    this.#expect(';', '}');
    return paths;
  }

  #statement(): string {
    const word = this.#take();
    this.#expect(';');
    return word;
  }

  #take(): string {
    const token = this.#tokens[this.#slot];
    if (token === undefined) throw this.#error('the end');
    this.#slot += 1;
    return token;
  }

  #skip(token: string): boolean {
    if (this.#tokens[this.#slot] !== token) return false;
    this.#slot += 1;
    return true;
  }

  #expect(...tokens: readonly string[]): void {
    for (const token of tokens) {
      const found = this.#take();
      if (found !== token) throw this.#error(`${found}, expected ${token}`);
    }
  }

  #error(found: string): Error {
    const before = this.#tokens.slice(Math.max(0, this.#slot - 6), this.#slot).join(' ');
    return new Error(`${this.#name}: unexpected ${found} in: ${before}`);
  }
}
