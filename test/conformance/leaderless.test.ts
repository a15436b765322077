/** What a member says that has lost its leader and cannot have another: as etcd does. */

import { connect } from 'node:http2';
import t from 'tap';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import { PutRequest, RangeRequest } from '../../src/gateway/schema/kv.ts';
import { WatchCreateRequest, WatchRequest } from '../../src/gateway/schema/watch.ts';
import { envelope, GrpcClient } from './grpc-client.ts';
import { startGateways } from './servers.ts';

const KV = '/etcdserverpb.KV';
const key = Buffer.from('a');

t.setTimeout(240_000);

t.test('clients that want a leader are told that there is none, others wait', async (t) => {
  const { cluster, clientEndpoints } = await startGateways(t, 3);
  const endpoint = clientEndpoints[0] ?? '';
  const grpc = new GrpcClient(endpoint);
  const range = (isLocal: boolean): Buffer =>
    envelope(encode(RangeRequest, { ...RangeRequest.create(), key, serializable: isLocal }));
  const put = envelope(encode(PutRequest, { ...PutRequest.create(), key, value: key }));
  t.equal((await grpc.ask(`${KV}/Put`, put)).code, '0');

  const session = connect(`http://${endpoint}`);
  session.on('error', () => undefined);
  t.teardown(() => {
    session.destroy();
    grpc.close();
  });
  const watch = (headers: Record<string, string>) => {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/etcdserverpb.Watch/Watch', te: 'trailers' },
      ...{ 'content-type': 'application/grpc' },
      ...headers,
    });
    stream.on('error', () => undefined);
    const create_request = { ...WatchCreateRequest.create(), key };
    stream.write(envelope(encode(WatchRequest, { ...WatchRequest.create(), create_request })));
    const created = new Promise((resolve) => stream.once('data', resolve));
    const ended = new Promise<unknown>((resolve) => {
      stream.once('trailers', (trailers) => resolve(trailers['grpc-status']));
    });
    return { stream, created, ended };
  };
  const patient = watch({});
  const demanding = watch({ hasleader: 'true' });
  await Promise.all([patient.created, demanding.created]);
  await Promise.all([cluster.kill(1), cluster.kill(2)]);

  t.equal(await demanding.ended, '14', 'the stream ends by itself');
  for (;;) {
    const { code, message } = await grpc.ask(`${KV}/Range`, range(true), { hasleader: 'true' });
    if (code === '0') continue; // the node has not noticed yet
    t.equal(code, '14');
    t.equal(message, 'etcdserver: no leader');
    break;
  }
  t.equal((await grpc.ask(`${KV}/Range`, range(true))).code, '0', 'a local read needs none');
  const [late, later] = await Promise.all([
    grpc.ask(`${KV}/Put`, put),
    grpc.ask(`${KV}/Range`, range(false), { 'grpc-timeout': '300m' }),
  ]);
  t.equal(late.code, '14');
  t.match(late.message, /^etcdserver: request timed out/);
  t.equal(later.code, '4');
  t.notOk(patient.stream.closed, 'who did not ask for a leader goes on waiting');

  await Promise.all([cluster.start(1), cluster.start(2)]);
  const told = new Promise((resolve) => patient.stream.once('data', resolve));
  for (;;) if ((await grpc.ask(`${KV}/Put`, put)).code === '0') break;
  await told;
});
