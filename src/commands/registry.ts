/**
 * The registry where members of a new cluster meet: keys of a cluster that is there, laid out as
 * etcd 3.6 does it.
 *
 *   /_etcd/registry/TOKEN/_config/size     how many members the cluster is to have
 *   /_etcd/registry/TOKEN/members/ID       NAME=URL of a member, by the order of their creation
 *
 * `kvorum://host:port/TOKEN` is asked in kvorum's own protocol; `http://host:port/TOKEN` by the
 * JSON gateway, which etcd has too.
 */

import { connect } from '../client/connect.ts';
import { CommandError, ExitCode } from './command-error.ts';

const PREFIX = '/_etcd/registry';

/** Milliseconds that the registry has to answer. */
const ASK_TIMEOUT_MS = 10_000;

/** A pair of the registry. */
export type RegistryPair = {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
};

/** The keys of one new cluster. */
export type Registry = {
  /** The pairs whose keys start so, behind the token. */
  readonly list: (path: string) => Promise<readonly RegistryPair[]>;
  /** Puts a key unless it is there. */
  readonly create: (path: string, value: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Opens the registry of a discovery URL. @throws CommandError */
export function openRegistry(url: string): Registry {
  const [, scheme, place = '', token = ''] =
    /^(kvorum|http):\/\/([^/]+)\/([^/]+)\/?$/.exec(url) ?? [];
  if (scheme === undefined) {
    const forms = 'kvorum://host:port/TOKEN or http://host:port/TOKEN';
    throw new CommandError(ExitCode.Error, `--discovery "${url}": expected ${forms}`);
  }
  const root = `${PREFIX}/${token}`;
  return scheme === 'kvorum' ? openNative(place, root) : openJson(`http://${place}`, root);
}

function openNative(place: string, root: string): Registry {
  const client = connect({ endpoints: [place], requestTimeoutMs: ASK_TIMEOUT_MS });
  return {
    list: async (path) => {
      const { kvs } = await client.range(`${root}/${path}`, { prefix: true });
      return kvs.map(({ key, value, createRevision }) => {
        return { key: String(key), value: String(value), createRevision };
      });
    },
    create: async (path, value) => {
      await client.compareAndSwap(`${root}/${path}`, { absent: true }, value);
    },
    close: () => client.close(),
  };
}

/** What the JSON gateway answers to a range; numbers are text, bytes base64, zeros left out. */
type JsonRange = {
  readonly kvs?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly create_revision: string;
  }[];
};

function openJson(origin: string, root: string): Registry {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const text = (encoded: string): string => Buffer.from(encoded, 'base64').toString();
  const ask = async (path: string, body: object): Promise<unknown> => {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const init = { method: 'POST', body: JSON.stringify(body), signal };
    try {
      const response = await fetch(`${origin}${path}`, init);
      const answer: unknown = await response.json();
      if (response.ok) return answer;
      throw new Error(`${response.status} ${JSON.stringify(answer)}`);
    } catch (cause) {
      const why = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause);
      throw new CommandError(ExitCode.BadConnection, `the registry at ${origin}: ${why}`);
    }
  };
  return {
    list: async (path) => {
      const key = base64(`${root}/${path}`);
      // The byte behind '/' ends the range: every path listed ends with a whole word.
      const range_end = base64(`${root}/${path}\u{7f}`);
      const { kvs = [] } = (await ask('/v3/kv/range', { key, range_end })) as JsonRange;
      return kvs.map(({ key, value = '', create_revision }) => {
        return { key: text(key), value: text(value), createRevision: Number(create_revision) };
      });
    },
    create: async (path, value) => {
      const key = base64(`${root}/${path}`);
      await ask('/v3/kv/txn', {
        compare: [{ result: 'EQUAL', target: 'CREATE', key, create_revision: '0' }],
        success: [{ requestPut: { key, value: base64(value) } }],
      });
    },
    close: async () => {},
  };
}
