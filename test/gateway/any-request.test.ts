/** Requests of any content to every method: each is answered, and the gateway lives on. */

import t from 'tap';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import { toJson } from '../../src/gateway/protobuf/json.ts';
import {
  type Field,
  Kind,
  type Message,
  type MessageType,
  type Method,
} from '../../src/gateway/protobuf/schema.ts';
import { AuthService } from '../../src/gateway/schema/auth.ts';
import { ClusterService } from '../../src/gateway/schema/cluster.ts';
import { HealthService } from '../../src/gateway/schema/health.ts';
import { KVService } from '../../src/gateway/schema/kv.ts';
import { LeaseService } from '../../src/gateway/schema/lease.ts';
import { MaintenanceService } from '../../src/gateway/schema/maintenance.ts';
import { ServerReflectionService } from '../../src/gateway/schema/reflection-v1.ts';
import { ElectionService } from '../../src/gateway/schema/v3election.ts';
import { LockService } from '../../src/gateway/schema/v3lock.ts';
import { WatchService } from '../../src/gateway/schema/watch.ts';
import { createRandom, drawSeed, type Random } from '../../src/random.ts';
import { envelope, GrpcClient } from '../conformance/grpc-client.ts';
import { startInProcess } from './in-process.ts';

/** Requests to each method, each way. */
const ROUNDS = Number(process.env.ROUNDS ?? 20);

/** Messages within each other. */
const DEPTH_MAX = 4;

const NUMBERS = [0, 1, 2, 3, 77, -1, -2, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
const BIG_NUMBERS = [0n, 1n, 77n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n];
const TEXTS = [
  '',
  'a',
  'root',
  'http://127.0.0.1:9',
  'http://a',
  'kv.proto',
  'é\u0000%',
  'x'.repeat(3_000),
];
const BYTES = [...TEXTS.map((text) => Buffer.from(text)), Buffer.from([0]), Buffer.alloc(9, 255)];

const SERVICES: readonly Readonly<Record<string, Method>>[] = [
  KVService,
  WatchService,
  LeaseService,
  ClusterService,
  MaintenanceService,
  AuthService,
  LockService,
  ElectionService,
  HealthService,
  ServerReflectionService,
] as unknown as Readonly<Record<string, Method>>[];

t.setTimeout(240_000);

function choose<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

function anyScalar(random: Random, { kind, values }: Field): unknown {
  switch (kind) {
    case Kind.Bool:
      return random.below(2) === 1;
    case Kind.Int32:
      return values === undefined ? random.below(100) : random.below(values.values.length + 2);
    case Kind.Uint32:
      return random.below(1_000);
    case Kind.Int64Number:
      return choose(random, NUMBERS);
    case Kind.Uint64Number:
      return choose(
        random,
        NUMBERS.filter((each) => each >= 0),
      );
    case Kind.Int64:
      return choose(random, BIG_NUMBERS);
    case Kind.Uint64:
      return BigInt.asUintN(64, choose(random, BIG_NUMBERS));
    case Kind.String:
      return choose(random, TEXTS);
    default:
      return choose(random, BYTES);
  }
}

function anyMessage(random: Random, type: MessageType, depth = 1): Message {
  const message = type.create() as Message;
  for (const field of type.fields) {
    if (random.below(3) === 0) continue;
    const { name, kind, isRepeated, oneof, message: inner } = field;
    if (kind === Kind.Message && depth === DEPTH_MAX) continue;
    if (oneof !== undefined) {
      const others = type.fields.filter((other) => other.oneof === oneof);
      if (others.some((other) => message[other.name] !== undefined)) continue;
      if (random.below(others.length) !== 0 && field !== others.at(-1)) continue;
    }
    const draw = (): unknown =>
      kind === Kind.Message ? anyMessage(random, inner!, depth + 1) : anyScalar(random, field);
    message[name] = isRepeated ? Array.from({ length: random.below(4) }, draw) : draw();
  }
  return message;
}

t.test('every method answers requests of any content', async (t) => {
  const { port, client } = await startInProcess(t);
  const grpc = new GrpcClient(`127.0.0.1:${port}`);
  t.teardown(() => grpc.close());
  const seed = Number(process.env.SEED ?? drawSeed());
  t.comment(`SEED=${seed}`);
  const random = createRandom(seed);
  for (const method of SERVICES.flatMap((service) => Object.values(service))) {
    const { service, name, request: type, httpPaths } = method;
    const asked: Promise<unknown>[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const message = anyMessage(random, type);
      const bytes = envelope(encode(type, message));
      const limited = { 'grpc-timeout': '100m' };
      asked.push(
        grpc.ask(`/${service}/${name}`, bytes, limited).then(({ code, reset }) => {
          if (code === undefined)
            throw new Error(`${name}: reset ${reset}: ${toJson(type, message)}`);
        }),
      );
      const [path] = httpPaths;
      if (path === undefined) continue;
      const body = toJson(type, message);
      asked.push(
        fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers: limited }).then(
          (response) => response.text(),
        ),
      );
    }
    await Promise.all(asked);
    t.pass(`${service}/${name}`);
  }
  await client.disarmAlarm({ nodeId: 0, kind: 1 }).catch(() => undefined);
  t.equal((await client.status()).nodeId, 0);
});
