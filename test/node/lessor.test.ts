import t from 'tap';
import {
  DELETE_AT_ONCE_KEYS_MAX,
  EXPIRE_BATCH_MAX,
  type ExpireRequest,
  LEASE_CHECKPOINT_SECONDS,
  type Lease,
  type LeaseCheckpointRequest,
  type Session,
} from '../../include/kvstore.ts';
import { FrameType, type InternalCommand } from '../../include/rpc.ts';
import { EXPIRING_MAX, Lessor, NO_TERM } from '../../src/node/lessor.ts';

const TICK_MS = 10;

/** The order in which a store visits leases. */
function byUnsigned(a: bigint, b: bigint): number {
  return Number(BigInt.asUintN(64, a) - BigInt.asUintN(64, b));
}

/** A lessor on a store of two maps, with what it proposed and a time that stands still. */
class Stage {
  nowMs = 5_000;
  index = 0;
  isTaking = true;
  readonly leases: Map<bigint, Lease> = new Map();
  readonly sessions: Map<number, Session> = new Map();
  /** How many keys hang on a lease, if any do. */
  readonly keyCounts: Map<bigint, number> = new Map();
  proposed: InternalCommand[] = [];
  readonly lessor: Lessor;

  constructor() {
    this.lessor = new Lessor({
      clock: { nowMs: () => this.nowMs },
      store: {
        lease: (id) => this.leases.get(id),
        session: (id) => this.sessions.get(id),
        countLeaseKeys: (id, countMax) => Math.min(countMax, this.keyCounts.get(id) ?? 0),
        visitLeases: (visit, from = 0n) => {
          const ids = [...this.leases.keys()].filter((id) => byUnsigned(id, from) >= 0);
          for (const id of ids.sort(byUnsigned)) {
            const lease = this.leases.get(id);
            if (lease !== undefined && visit(lease) === false) return;
          }
        },
        visitSessions: (visit) => this.sessions.forEach(visit),
      },
      propose: (command) => {
        if (this.isTaking) this.proposed.push(command);
        return this.isTaking;
      },
    });
  }

  grant(id: bigint, ttlSeconds: number, remainingSeconds = 0): void {
    this.index += 1;
    this.leases.set(id, { id, ttlSeconds, remainingSeconds, grantIndex: this.index });
    this.lessor.leaseChanged(id);
  }

  revoke(id: bigint): void {
    this.index += 1;
    this.leases.delete(id);
    this.lessor.leaseChanged(id);
  }

  open(session: number, ttlSeconds: number): void {
    this.index += 1;
    this.sessions.set(session, { session, ttlSeconds, lastIndex: this.index });
    this.lessor.sessionOpened(session);
  }

  use(id: number): void {
    this.index += 1;
    const session = this.sessions.get(id);
    if (session !== undefined) this.sessions.set(id, { ...session, lastIndex: this.index });
  }

  /** Lets time pass, tick by tick. */
  pass(seconds: number): void {
    const untilMs = this.nowMs + seconds * 1_000;
    while (this.nowMs < untilMs) {
      this.nowMs += TICK_MS;
      this.lessor.tick();
    }
  }

  /** Lets time pass at once, as if the process had stood still. */
  jump(seconds: number): void {
    this.nowMs += seconds * 1_000;
    this.lessor.tick();
  }

  /** Applies what was proposed, as the store would. */
  apply(): void {
    for (const command of this.take()) {
      if (command.type === FrameType.Expire) this.#expire(command.body);
      else if (command.type === FrameType.LeaseCheckpoint) this.#checkpoint(command.body);
    }
  }

  take(): InternalCommand[] {
    const taken = this.proposed;
    this.proposed = [];
    return taken;
  }

  /** The ids in what was proposed to expire. */
  expiring(): (bigint | number)[] {
    return this.proposed.flatMap((command) => {
      if (command.type !== FrameType.Expire) return [];
      const { leases, sessions } = command.body;
      return [...leases.map(({ id }) => id), ...sessions.map(({ session }) => session)];
    });
  }

  #expire(request: ExpireRequest): void {
    for (const { id, grantIndex } of request.leases) {
      if (this.leases.get(id)?.grantIndex === grantIndex) this.leases.delete(id);
    }
    for (const { session, lastIndex } of request.sessions) {
      if (this.sessions.get(session)?.lastIndex === lastIndex) this.sessions.delete(session);
    }
    this.lessor.settle(request);
  }

  #checkpoint(request: LeaseCheckpointRequest): void {
    for (const { id, remainingSeconds } of request.checkpoints) {
      const lease = this.leases.get(id);
      if (lease !== undefined) this.leases.set(id, { ...lease, remainingSeconds });
    }
  }
}

function leading(): Stage {
  const stage = new Stage();
  stage.lessor.follow(1);
  return stage;
}

t.test('a lease is proposed to end when its time is up, not before, and once', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  stage.pass(9.99);
  t.strictSame(stage.proposed, []);
  stage.pass(0.01);
  const body = { leases: [{ id: 7n, grantIndex: 1 }], sessions: [] };
  t.strictSame(stage.proposed, [{ type: FrameType.Expire, body }]);
  stage.pass(100);
  t.equal(stage.proposed.length, 1);
  stage.apply();
  t.equal(stage.lessor.count, 0);
});

t.test('a renewed lease lives its full time from the renewal on', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  for (let i = 0; i < 5; i += 1) {
    stage.pass(9);
    t.equal(stage.lessor.secondsLeft(7n), 1);
    t.equal(stage.lessor.renew(7n), 10);
  }
  stage.pass(9.9);
  t.strictSame(stage.proposed, []);
  stage.pass(0.1);
  t.strictSame(stage.expiring(), [7n]);
});

t.test('a lease that is not there, or whose end is proposed, is renewed to 0', async (t) => {
  const stage = leading();
  t.equal(stage.lessor.renew(7n), 0);
  t.equal(stage.lessor.secondsLeft(7n), -1);
  stage.grant(7n, 10);
  stage.pass(10);
  t.equal(stage.lessor.renew(7n), 0);
  t.equal(stage.lessor.secondsLeft(7n), 0, 'it is still there until its end is applied');
  stage.apply();
  t.equal(stage.lessor.secondsLeft(7n), -1);
});

t.test('a revoked lease never rings', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  stage.revoke(7n);
  stage.pass(20);
  t.strictSame(stage.proposed, []);
});

t.test('a lease granted anew is not ended by the expiry of the one before', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  stage.pass(10);
  stage.revoke(7n);
  stage.grant(7n, 10);
  stage.apply();
  t.equal(stage.lessor.secondsLeft(7n), 10);
  stage.pass(10);
  t.strictSame(stage.expiring(), [7n]);
});

t.test('a grant that is applied twice does not start the time anew', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  stage.pass(9);
  stage.lessor.leaseChanged(7n);
  stage.pass(1);
  t.strictSame(stage.expiring(), [7n]);
});

t.test('a proposal that is not taken is made again', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  stage.open(8, 10);
  stage.isTaking = false;
  stage.pass(15);
  t.equal(stage.lessor.renew(7n), 10, 'until then the lease can be renewed');
  stage.isTaking = true;
  stage.pass(1);
  t.strictSame(stage.expiring(), [8]);
  stage.pass(9);
  t.strictSame(stage.expiring(), [8, 7n]);
});

t.test('a new leader gives every lease and session its full time again', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  stage.open(8, 10);
  stage.pass(9);
  stage.lessor.follow(NO_TERM);
  t.equal(stage.lessor.count, 0, 'who does not lead does not count');
  stage.grant(9n, 10);
  stage.pass(60);
  t.strictSame(stage.proposed, []);
  stage.lessor.follow(3);
  stage.pass(9.9);
  t.strictSame(stage.proposed, []);
  stage.pass(0.1);
  t.strictSame(stage.expiring().sort(), [7n, 8, 9n]);
});

t.test('a new leader comes across what there is slice by slice, or when it is asked', async (t) => {
  const stage = new Stage();
  for (let id = 1n; id <= 1_500n; id += 1n) stage.grant(id, 10);
  stage.grant(-1n, 10);
  for (let id = 1; id <= 1_000; id += 1) stage.open(id, 10);
  stage.lessor.follow(1);
  t.equal(stage.lessor.count, 1_000);
  t.equal(stage.lessor.renew(1_400n), 10);
  t.equal(stage.lessor.secondsLeft(-1n), 10);
  t.equal(stage.lessor.secondsLeft(1_501n), -1);
  stage.revoke(1_300n);
  stage.pass(0.03);
  t.equal(stage.lessor.count, 2_500);
  t.strictSame(stage.proposed, []);
  for (let ticks = 0; ticks < 2_000; ticks += 1) {
    stage.pass(TICK_MS / 1_000);
    stage.apply();
  }
  t.equal(stage.lessor.count, 0);
  t.equal(stage.leases.size + stage.sessions.size, 0);
});

t.test('what was proposed in an earlier term is proposed again in the next', async (t) => {
  const stage = leading();
  stage.grant(7n, 10);
  stage.pass(10);
  stage.take();
  stage.lessor.follow(2);
  stage.pass(10);
  t.strictSame(stage.expiring(), [7n]);
});

t.test('a session ends when it was not used for its time', async (t) => {
  const stage = leading();
  stage.open(8, 60);
  stage.pass(30);
  stage.use(8);
  stage.pass(30);
  t.strictSame(stage.proposed, [], 'it was used');
  stage.pass(60);
  const body = { leases: [], sessions: [{ session: 8, lastIndex: 2 }] };
  t.strictSame(stage.proposed, [{ type: FrameType.Expire, body }]);
  stage.apply();
  t.equal(stage.lessor.count, 0);
});

t.test('a session that is used while its end is under way stays, and ends later', async (t) => {
  const stage = leading();
  stage.open(8, 60);
  stage.pass(60);
  stage.use(8);
  stage.apply();
  t.ok(stage.sessions.has(8));
  stage.pass(59.9);
  t.strictSame(stage.proposed, []);
  stage.pass(0.1);
  t.strictSame(stage.expiring(), [8]);
});

t.test('100,000 leases that run out at once end in bounded steps', async (t) => {
  const stage = leading();
  for (let id = 1n; id <= 100_000n; id += 1n) stage.grant(id, 10);
  stage.jump(10);
  t.equal(stage.expiring().length, EXPIRE_BATCH_MAX, 'one batch a tick');
  stage.pass(1);
  t.equal(stage.expiring().length, EXPIRING_MAX, 'no more while these are not applied');
  for (let ticks = 0; ticks < 100_000 / EXPIRE_BATCH_MAX; ticks += 1) {
    stage.apply();
    stage.pass(TICK_MS / 1_000);
  }
  t.equal(stage.leases.size, 0);
  t.equal(stage.lessor.count, 0);
});

t.test('leases end together up to so many keys; one of more ends alone', async (t) => {
  const stage = leading();
  for (let id = 1n; id <= 8n; id += 1n) {
    stage.grant(id, 10);
    stage.keyCounts.set(id, DELETE_AT_ONCE_KEYS_MAX / 2);
  }
  stage.keyCounts.set(5n, 100 * DELETE_AT_ONCE_KEYS_MAX);
  stage.jump(10);
  const batches: number[] = [];
  while (stage.leases.size > 0) {
    const before = stage.leases.size;
    stage.apply();
    batches.push(before - stage.leases.size);
    stage.pass(TICK_MS / 1_000);
  }
  t.strictSame([...batches].sort(), [1, 1, 2, 2, 2]);
});

t.test('what is left of a long lease is told every few minutes, until it is short', async (t) => {
  const stage = leading();
  const ttlSeconds = LEASE_CHECKPOINT_SECONDS * 2 + 100;
  stage.grant(7n, ttlSeconds);
  stage.grant(8n, LEASE_CHECKPOINT_SECONDS);
  stage.pass(LEASE_CHECKPOINT_SECONDS);
  const checkpoint = (remainingSeconds: number): InternalCommand => ({
    type: FrameType.LeaseCheckpoint,
    body: { checkpoints: [{ id: 7n, remainingSeconds }] },
  });
  t.strictSame(
    stage.take().filter(({ type }) => type === FrameType.LeaseCheckpoint),
    [checkpoint(ttlSeconds - LEASE_CHECKPOINT_SECONDS)],
    'of the short one nothing is told',
  );
  stage.pass(LEASE_CHECKPOINT_SECONDS);
  t.strictSame(stage.take(), [checkpoint(100)]);
  stage.pass(100);
  t.strictSame(stage.expiring(), [7n]);
});

t.test('a new leader starts a checkpointed lease with what was left', async (t) => {
  const stage = new Stage();
  stage.grant(7n, 1_000, 400);
  stage.lessor.follow(4);
  t.equal(stage.lessor.secondsLeft(7n), 400);
  t.ok(stage.lessor.isCheckpointed(7n));
  stage.pass(LEASE_CHECKPOINT_SECONDS);
  t.equal(stage.take().length, 1, 'and tells on');
  stage.pass(100);
  t.strictSame(stage.expiring(), [7n]);
});

t.test('a renewal of a checkpointed lease waits until the checkpoint is cleared', async (t) => {
  const stage = leading();
  stage.grant(7n, 1_000);
  t.notOk(stage.lessor.isCheckpointed(7n));
  stage.pass(LEASE_CHECKPOINT_SECONDS);
  t.ok(stage.lessor.isCheckpointed(7n), 'from its proposal on, applied or not');
  stage.apply();
  stage.pass(LEASE_CHECKPOINT_SECONDS - 1);
  stage.lessor.clearing(7n);
  stage.pass(60);
  t.strictSame(stage.proposed, [], 'no checkpoint overtakes the clearing');
  t.ok(stage.lessor.isCheckpointed(7n));
  stage.lessor.cleared(7n);
  t.notOk(stage.lessor.isCheckpointed(7n));
  t.equal(stage.lessor.renew(7n), 1_000);
  t.equal(stage.lessor.secondsLeft(7n), 1_000);
});

t.test('a checkpoint that is not taken is tried again, and the lease still ends', async (t) => {
  const stage = leading();
  stage.grant(7n, 400);
  stage.isTaking = false;
  stage.pass(350);
  stage.isTaking = true;
  stage.pass(1);
  t.equal(stage.take().length, 1);
  stage.pass(49);
  t.strictSame(stage.expiring(), [7n]);
});
