/** Services that Debian's etcd is too old for, and those that every gRPC server may have. */

import t from 'tap';
import { decode } from '../../src/gateway/protobuf/decode.ts';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import type { Method } from '../../src/gateway/protobuf/schema.ts';
import { AuthService } from '../../src/gateway/schema/auth.ts';
import { ClusterService } from '../../src/gateway/schema/cluster.ts';
import { HealthService } from '../../src/gateway/schema/health.ts';
import { KVService, type RangeResponse } from '../../src/gateway/schema/kv.ts';
import { MaintenanceService } from '../../src/gateway/schema/maintenance.ts';
import { ServerReflectionService as V1 } from '../../src/gateway/schema/reflection-v1.ts';
import { ServerReflectionService as V1Alpha } from '../../src/gateway/schema/reflection-v1alpha.ts';
import { startInProcess } from '../gateway/in-process.ts';
import { envelope, GrpcClient, type Told } from './grpc-client.ts';

/** Sends requests, and the end of them. */
function tell<Q, S>(
  client: GrpcClient,
  method: Method<Q, S>,
  ...requests: Partial<Q>[]
): Promise<Told> {
  const { service, name, request: type } = method;
  const messages = requests.map((request) =>
    envelope(encode(type, { ...type.create(), ...request })),
  );
  return client.ask(`/${service}/${name}`, Buffer.concat(messages));
}

function answersOf<Q, S>(method: Method<Q, S>, { messages }: Told): S[] {
  return messages.map((message) => decode(method.response, message, 0, message.length));
}

t.test('a range comes as a stream, of one revision, its head in the last answer', async (t) => {
  const { port, client } = await startInProcess(t);
  const grpc = new GrpcClient(`127.0.0.1:${port}`);
  t.teardown(() => grpc.close());
  const value = Buffer.alloc(100_000, 'v');
  for (let key = 0; key < 30; key += 1) await client.put(`k/${10 + key}`, value);
  const range = { key: Buffer.from('k/'), range_end: Buffer.from('k0') };
  const ask = async (more: object): Promise<RangeResponse[]> => {
    const told = await tell(grpc, KVService.RangeStream, { ...range, ...more });
    t.equal(told.code, '0', told.message ?? '');
    const answers = answersOf(KVService.RangeStream, told);
    return answers.map(({ range_response }) => range_response!);
  };
  const parts = await ask({});
  t.ok(parts.length > 1, `${parts.length} parts`);
  const keys = parts.flatMap(({ kvs }) => kvs.map(({ key }) => key.toString()));
  t.strictSame(
    keys,
    Array.from({ length: 30 }, (_, key) => `k/${10 + key}`),
  );
  t.ok(parts.slice(0, -1).every(({ header, count, more }) => !header && !count && !more));
  t.match(parts.at(-1), { header: { revision: 31 }, count: 30, more: false });

  const cut = await ask({ limit: 25 });
  t.equal(cut.flatMap(({ kvs }) => kvs).length, 25);
  t.match(cut.at(-1), { count: 30, more: true });
  t.match(await ask({ count_only: true }), [{ kvs: [], count: 30 }]);
  t.match(await ask({ revision: 3 }), [{ count: 2, header: { revision: 31 } }]);
  for (const refused of [{ sort_order: 2 }, { sort_target: 3 }, { min_mod_revision: 4 }]) {
    const told = await tell(grpc, KVService.RangeStream, { ...range, ...refused });
    t.equal(told.code, '12', JSON.stringify(refused));
  }
});

t.test('reflection shows every service, and the files that define them', async (t) => {
  const { port } = await startInProcess(t);
  const grpc = new GrpcClient(`127.0.0.1:${port}`);
  t.teardown(() => grpc.close());
  for (const { ServerReflectionInfo: method } of [V1, V1Alpha]) {
    const told = await tell(
      grpc,
      method as typeof V1.ServerReflectionInfo,
      { list_services: '' },
      { file_containing_symbol: 'etcdserverpb.KV' },
      { file_containing_symbol: 'mvccpb.KeyValue' },
      { file_by_filename: 'kv.proto' },
      { file_containing_symbol: 'no.such.Thing' },
      { file_containing_symbol: 'etcdserverpb.Compare.CompareTarget' },
      { file_containing_symbol: 'etcdserverpb.KV.Put' },
    );
    t.equal(told.code, '0');
    const answers = answersOf(V1.ServerReflectionInfo, told);
    const services = answers[0]?.list_services_response?.service.map(({ name }) => name);
    t.strictSame(services, [
      ...['etcdserverpb.Auth', 'etcdserverpb.Cluster', 'etcdserverpb.KV', 'etcdserverpb.Lease'],
      ...['etcdserverpb.Maintenance', 'etcdserverpb.Watch', 'grpc.health.v1.Health'],
      ...['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'],
      ...['v3electionpb.Election', 'v3lockpb.Lock'],
    ]);
    const files = answers[1]?.file_descriptor_response?.file_descriptor_proto ?? [];
    t.strictSame(files, answers[3]?.file_descriptor_response?.file_descriptor_proto);
    t.match(files[0]?.toString('latin1'), /kv\.proto.*etcdserverpb.*header\.proto/s);
    t.equal(files.length, 3, 'the file and what it imports');
    t.equal(answers[2]?.file_descriptor_response?.file_descriptor_proto.length, 1);
    for (const slot of [5, 6]) {
      t.strictSame(answers[slot]?.file_descriptor_response?.file_descriptor_proto, files);
    }
    t.match(answers[4]?.error_response, {
      error_code: 5,
      error_message: 'not found: no.such.Thing',
    });
  }
});

t.test('health is served, Auth has no users, and peers have no TLS', async (t) => {
  const { port } = await startInProcess(t);
  const grpc = new GrpcClient(`127.0.0.1:${port}`);
  t.teardown(() => grpc.close());
  t.match(await grpc.call(HealthService.Check, {}), { status: 1 });
  t.match(await tell(grpc, HealthService.Check, { service: 'etcdserverpb.KV' }), {
    code: '5',
    message: 'unknown service',
  });
  t.match(await grpc.call(AuthService.AuthStatus, {}), { enabled: false, authRevision: 1 });
  t.match(await grpc.call(AuthService.UserList, {}), { users: [] });
  t.match(await tell(grpc, AuthService.Authenticate, { name: 'a', password: 'b' }), {
    code: '9',
    message: 'etcdserver: authentication is not enabled',
  });
  t.match(await tell(grpc, AuthService.UserAdd, { name: 'a' }), { code: '12' });
  const peerURLs = ['https://127.0.0.1:9'];
  t.match(await tell(grpc, ClusterService.MemberAdd, { peerURLs }), {
    code: '3',
    message: 'etcdserver: given member URLs are invalid',
  });
  const status = await grpc.call(MaintenanceService.Status, {});
  t.match(status, { version: '3.6.0', storageVersion: '3.6.0', isLearner: false, errors: [] });
  t.equal(status.leader, status.header?.member_id);
});
