/** Recipes on real processes, whose leader is killed while they are used. */

import t from 'tap';
import type { Client } from '../../include/client.ts';
import { createElection, createLock, createQueue, transact } from '../../src/kvorum.ts';
import { startCluster } from '../cluster/processes.ts';

const cluster = await startCluster(t);

/** Works with a client each until the leader was killed and is back; returns another client. */
async function workUnderKill(
  workers: number,
  work: (client: Client, isOver: () => boolean, id: number) => Promise<void>,
): Promise<Client> {
  const { nodeId } = await cluster.leader();
  let isOver = false;
  const working = Array.from({ length: workers }, (_, id) =>
    work(cluster.client(undefined, 30_000), () => isOver, id),
  );
  await cluster.kill(nodeId);
  await cluster.leader([0, 1, 2].filter((id) => id !== nodeId));
  await cluster.start(nodeId);
  await cluster.leader();
  isOver = true;
  await Promise.all(working);
  return cluster.client();
}

t.test('under a lock nobody overlaps, though the leader is killed', async (t) => {
  let countedBy = 0;
  let holders = 0;
  let lastToken = 0;
  const client = await workUnderKill(4, async (client, isOver) => {
    const lock = createLock(client, 'lock');
    while (!isOver()) {
      const held = await lock.acquire();
      holders += 1;
      if (holders !== 1) t.fail(`${holders} hold the lock`);
      if (held.token <= lastToken) t.fail(`token ${held.token} after ${lastToken}`);
      lastToken = held.token;
      const count = Number((await client.get('count'))?.value ?? 0);
      await client.put('count', String(count + 1));
      countedBy += 1;
      holders -= 1;
      await held.release();
    }
  });
  t.equal(Number((await client.get('count'))?.value), countedBy);
  t.comment(`${countedBy} times held`);
});

t.test('transactional memory counts each attempt that succeeded, and no other', async (t) => {
  let added = 0;
  const client = await workUnderKill(8, async (client, isOver) => {
    while (!isOver()) {
      await transact(client, async (memory) => {
        memory.put('sum', String(Number((await memory.get('sum')) ?? 0) + 1));
      });
      added += 1;
    }
  });
  t.equal(Number((await client.get('sum'))?.value), added);
  t.comment(`${added} transactions`);
});

t.test('each item of a queue is taken exactly once, though the leader is killed', async (t) => {
  const added = new Set<string>();
  const taken: string[] = [];
  const client = await workUnderKill(6, async (client, isOver, id) => {
    const queue = createQueue(client, 'queue');
    for (let count = 0; !isOver(); count += 1) {
      if (id % 2 === 0) {
        await queue.add(`${id}/${count}`);
        added.add(`${id}/${count}`);
      } else {
        const item = await queue.tryTake();
        if (item !== undefined) taken.push(String(item.value));
      }
    }
  });
  const queue = createQueue(client, 'queue');
  for (let item = await queue.tryTake(); item !== undefined; item = await queue.tryTake()) {
    taken.push(String(item.value));
  }
  t.equal(taken.length, added.size);
  t.strictSame(new Set(taken), added);
  t.comment(`${taken.length} items`);
});

t.test('who is told that it leads does, though the leader of the cluster is killed', async (t) => {
  const client = await workUnderKill(3, async (client, isOver, id) => {
    const election = createElection(client, 'election');
    while (!isOver()) {
      const leadership = await election.campaign(`candidate ${id}`);
      const leader = await election.leader();
      t.equal(leader?.createRevision, leadership.token, 'who was told so leads');
      await leadership.resign();
    }
  });
  const leadership = await createElection(client, 'election').campaign('last');
  for await (const { value } of createElection(client, 'election').observe()) {
    t.equal(String(value), 'last');
    break;
  }
  await leadership.resign();
});
