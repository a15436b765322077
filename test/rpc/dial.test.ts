import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { CloseReason, ErrorCode, FrameType, type KvorumError } from '../../include/rpc.ts';
import type { Connection } from '../../src/rpc/connection.ts';
import { writeError, writeHello } from '../../src/rpc/connection-codec.ts';
import { NODE_LIMITS } from '../../src/rpc/connection-limits.ts';
import { dial } from '../../src/rpc/dial.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { bytesOf, writeStatus } from './frames.ts';
import { ManualClock } from './manual-clock.ts';
import { CLIENT_HELLO } from './raw-client.ts';
import { CLUSTER_ID, startServer } from './test-server.ts';

const TIMEOUT_MS = 1_000;

type Outcome =
  | { readonly connection: Connection }
  | { readonly reason: CloseReason; readonly error: KvorumError };

type Attempt = {
  readonly connection: Connection;
  readonly clock: ManualClock;
  readonly outcome: Promise<Outcome>;
};

function attempt(t: Test, port: number, address = '127.0.0.1'): Attempt {
  const clock = new ManualClock();
  let settle: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  const connection = dial(
    {
      address,
      port,
      hello: CLIENT_HELLO,
      limits: NODE_LIMITS,
      timeoutMs: TIMEOUT_MS,
      clock,
      flushQueue: new FlushQueue(clock),
    },
    {
      onReady: (ready) => settle({ connection: ready }),
      onFailed: (reason, error) => settle({ reason, error }),
    },
  );
  t.teardown(() => connection.close());
  return { connection, clock, outcome };
}

/** A listener that treats each connection as told. */
async function listenRaw(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

t.test('a node that answers hands the connection over, its timer stopped', async (t) => {
  const server = await startServer(t, {
    onClient: (connection) => {
      connection.onFrame = (_connection, _type, id) => {
        connection.writer.begin(FrameType.Reply, id);
        connection.writer.end();
      };
    },
  });
  const { connection, clock, outcome } = attempt(t, server.port);
  t.strictSame(await outcome, { connection });
  t.match(connection.hello, { nodeId: 1, clusterId: CLUSTER_ID });
  t.equal(clock.alarmCount, 0);
  const replied = new Promise<number>((resolve) => {
    connection.onFrame = (_connection, _type, id) => resolve(id);
  });
  writeStatus(connection.writer, 77);
  t.equal(await replied, 77);
});

const badNodes: readonly (readonly [string, (socket: Socket) => void, CloseReason, ErrorCode])[] = [
  ['closes at once', (socket) => socket.end(), CloseReason.Unreachable, ErrorCode.Unreachable],
  [
    'resets at once',
    (socket) => socket.resetAndDestroy(),
    CloseReason.Unreachable,
    ErrorCode.Unreachable,
  ],
  [
    'speaks HTTP',
    (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    CloseReason.Protocol,
    ErrorCode.FrameTooLong,
  ],
  [
    'says something before HELLO',
    (socket) => socket.write(bytesOf((writer) => writeStatus(writer, 1))),
    CloseReason.Protocol,
    ErrorCode.HelloExpected,
  ],
  [
    'answers as no node',
    (socket) => socket.write(bytesOf((writer) => writeHello(writer, CLIENT_HELLO))),
    CloseReason.Protocol,
    ErrorCode.NodeMismatch,
  ],
  [
    'refuses',
    (socket) =>
      socket.end(bytesOf((writer) => writeError(writer, 0, ErrorCode.TooManyConnections, 'full'))),
    CloseReason.Refused,
    ErrorCode.TooManyConnections,
  ],
];
for (const [name, onSocket, reason, code] of badNodes) {
  t.test(`a node that ${name} fails the attempt with the reason`, async (t) => {
    const port = await listenRaw(t, onSocket);
    const { connection, clock, outcome } = attempt(t, port);
    const failed = await outcome;
    t.match(failed, { reason, error: { code } });
    t.equal(connection.isClosed, true);
    connection.close();
    t.equal(clock.alarmCount, 0);
  });
}

t.test('a node that says nothing fails the attempt when its time is up', async (t) => {
  const port = await listenRaw(t, () => {});
  const { clock, outcome, connection } = attempt(t, port);
  clock.advance(TIMEOUT_MS - 1);
  t.equal(connection.isClosed, false);
  clock.advance(1);
  t.match(await outcome, {
    reason: CloseReason.Unreachable,
    error: { code: ErrorCode.Unreachable },
  });
});

t.test('a port that nobody listens on and a name that does not exist say so', async (t) => {
  const server = await startServer(t);
  await server.server.close();
  const refused = await attempt(t, server.port).outcome;
  t.match(refused, { reason: CloseReason.Unreachable, error: { code: ErrorCode.Unreachable } });
  const text = `127.0.0.1:${server.port}: connection refused: is a node running there?`;
  t.match(refused, { error: { message: text } });
  const unknown = await attempt(t, 1, 'no-such-host.invalid').outcome;
  t.match(unknown, { reason: CloseReason.Unreachable });
});

t.test('an attempt that is given up reports it and leaves nothing behind', async (t) => {
  const port = await listenRaw(t, () => {});
  const { connection, clock, outcome } = attempt(t, port);
  connection.close();
  t.match(await outcome, { reason: CloseReason.Local });
  t.equal(clock.alarmCount, 0);
});
