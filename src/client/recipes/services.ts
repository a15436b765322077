/**
 * Service registration and discovery: an instance is a key `name/address` on a lease, as etcd's
 * gRPC naming lays it out. See include/recipes.ts.
 */

import type { Client } from '../../../include/client.ts';
import { EventKind, type KeyValue, type WatchEvent } from '../../../include/kvstore.ts';
import type {
  HoldOptions,
  Registration,
  ServiceEndpoint,
  ServiceEndpoints,
  WaitOptions,
} from '../../../include/recipes.ts';
import { keyBelow } from './recipe-key.ts';
import { explainLoss, notHeld, takeLease } from './tenure.ts';
import { watchEvents } from './watch-events.ts';

/** What etcd's naming calls an update that adds an endpoint. */
const OP_ADD = 0;

/**
 * Registers an instance: it is found until it is deregistered or its lease ends. One of the same
 * address that is there already is replaced: a service that was restarted.
 */
export async function registerService(
  client: Client,
  name: string,
  { address, metadata }: ServiceEndpoint,
  options: HoldOptions = {},
): Promise<Registration> {
  const key = keyBelow(name, address);
  const tenure = await takeLease(client, options);
  const lease = tenure.lease.id;
  try {
    await client.put(key, textOf({ address, metadata }), { lease });
  } catch (error) {
    if (tenure.isOwn) await tenure.lease.release().catch(ignore);
    throw explainLoss(tenure, error);
  }
  const isOurs = { key, lease };
  return {
    key,
    lost: tenure.lease.lost,
    update: async (next) => {
      const value = textOf({ address, metadata: next });
      const { succeeded } = await client.txn({
        when: [isOurs],
        then: [{ put: key, value, lease }],
      });
      if (!succeeded) throw notHeld('its key is gone, or registered by another one');
    },
    deregister: async () => {
      if (tenure.isOwn) await tenure.lease.release();
      else await client.txn({ when: [isOurs], then: [{ delete: key }] });
    },
  };
}

/** The instances of a service now. */
export async function resolveService(client: Client, name: string): Promise<ServiceEndpoints> {
  return (await readEndpoints(client, keyBelow(name, ''))).endpoints;
}

/**
 * The instances of a service now, then again whenever they change, for as long as it is iterated;
 * each time a map of its own. With `signal`, ends quietly when that aborts.
 */
export async function* watchService(
  client: Client,
  name: string,
  { signal }: WaitOptions = {},
): AsyncGenerator<ServiceEndpoints, void> {
  const prefix = keyBelow(name, '');
  for (;;) {
    let { endpoints, revision } = await readEndpoints(client, prefix);
    if (signal?.aborted === true) return;
    yield endpoints;
    const changes = { prefix: true, startRevision: revision + 1 };
    for await (const events of watchEvents(client, prefix, changes, signal)) {
      endpoints = withEvents(endpoints, prefix, events);
      yield endpoints;
    }
  }
}

async function readEndpoints(
  client: Client,
  prefix: Buffer,
): Promise<{ readonly endpoints: ServiceEndpoints; readonly revision: number }> {
  const endpoints = new Map<string, ServiceEndpoint>();
  let revision = 0;
  for await (const page of client.pages(prefix, { prefix: true })) {
    revision = page.revision;
    for (const kv of page.kvs) addEndpoint(endpoints, prefix, kv);
  }
  return { endpoints, revision };
}

function withEvents(
  before: ServiceEndpoints,
  prefix: Buffer,
  events: readonly WatchEvent[],
): ServiceEndpoints {
  const endpoints = new Map(before);
  for (const { kind, kv } of events) {
    if (kind === EventKind.Put) addEndpoint(endpoints, prefix, kv);
    else endpoints.delete(addressOf(kv.key, prefix));
  }
  return endpoints;
}

function addEndpoint(
  endpoints: Map<string, ServiceEndpoint>,
  prefix: Buffer,
  { key, value }: KeyValue,
): void {
  const address = addressOf(key, prefix);
  endpoints.set(address, { address, metadata: metadataOf(value) });
}

function addressOf(key: Buffer, prefix: Buffer): string {
  return key.subarray(prefix.length).toString();
}

function textOf({ address, metadata }: ServiceEndpoint): string {
  return JSON.stringify({ Op: OP_ADD, Addr: address, Metadata: metadata });
}

/** A value that somebody else put there otherwise has no metadata: its key says where it is. */
function metadataOf(value: Buffer): unknown {
  try {
    const told: unknown = JSON.parse(value.toString());
    return typeof told === 'object' && told !== null && 'Metadata' in told
      ? told.Metadata
      : undefined;
  } catch {
    return undefined;
  }
}

const ignore = (): void => {};
