/**
 * Clients that write without a pause and remember what was acknowledged, for tests that break
 * things meanwhile.
 */

import type { Client } from '../../include/client.ts';
import { KvorumError, Retry } from '../../include/rpc.ts';

/** A load under way. */
export type Load = {
  /** Keys whose put was acknowledged, with the value. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Puts that failed, for weather. */
  readonly failures: readonly unknown[];
  /** Resolves at the next acknowledgement. */
  readonly nextAcknowledgement: () => Promise<void>;
  /** Stops the writers and waits for what is in flight. */
  readonly stop: () => Promise<void>;
};

/**
 * Starts writers that each put keys of their own, one after the other. A put whose outcome is
 * unknown is not counted; anything but weather is thrown by `stop`.
 */
export function startLoad(clients: readonly Client[], writersPerClient: number): Load {
  const acknowledged = new Map<string, string>();
  const failures: unknown[] = [];
  let waiting: (() => void)[] = [];
  let isStopping = false;
  let failure: unknown;

  const write = async (client: Client, writer: string): Promise<void> => {
    for (let count = 0; !isStopping; count += 1) {
      const key = `${writer}/${count}`;
      try {
        await client.put(key, `value of ${key}`);
        acknowledged.set(key, `value of ${key}`);
        for (const resolve of waiting) resolve();
        waiting = [];
      } catch (error) {
        failures.push(error);
        if (error instanceof KvorumError && error.retry !== Retry.Never) continue;
        failure = error;
        return;
      }
    }
  };

  const writers = clients.flatMap((client, c) =>
    Array.from({ length: writersPerClient }, (_, w) => write(client, `load/${c}-${w}`)),
  );
  return {
    acknowledged,
    failures,
    nextAcknowledgement: () => new Promise((resolve) => waiting.push(resolve)),
    stop: async () => {
      isStopping = true;
      await Promise.all(writers);
      if (failure !== undefined) throw failure;
    },
  };
}

/**
 * Names the acknowledged keys that a client does not find with their value; empty when none is
 * lost.
 */
export async function findLost(client: Client, load: Load): Promise<string[]> {
  const { kvs } = await client.range('load/', { prefix: true });
  const found = new Map(kvs.map((kv) => [kv.key.toString(), kv.value.toString()]));
  return [...load.acknowledged]
    .filter(([key, value]) => found.get(key) !== value)
    .map(([key]) => key);
}
