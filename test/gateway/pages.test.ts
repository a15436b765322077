/** The pages for operators, on a gateway in front of one node, and of one that is hung. */

import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { type LogFields, NO_LOG } from '../../include/log.ts';
import { createSystemClock } from '../../src/clock.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { NodeOptions } from '../../src/node/node.ts';
import { createRandom } from '../../src/random.ts';
import { nextTick } from '../cluster/processes.ts';
import { LoneMember } from '../node/lone-member.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { during, openGateway, startHung } from './ask-gateway.ts';

async function openLone(t: Test, options: Partial<NodeOptions> = {}) {
  const lone = await LoneMember.start(t, options);
  const { clusterId } = lone.member.options;
  const page = await openGateway(t, lone.endpoint, clusterId);
  return { lone, page };
}

/**
 * What the alerts and the dashboard that etcd's own repository publishes (its mixin) ask for; but
 * `up`, which Prometheus makes.
 */
const ALERTED = [
  'etcd_disk_backend_commit_duration_seconds_bucket',
  'etcd_disk_wal_fsync_duration_seconds_bucket',
  'etcd_mvcc_db_total_size_in_bytes',
  'etcd_mvcc_db_total_size_in_use_in_bytes',
  'etcd_network_client_grpc_received_bytes_total',
  'etcd_network_client_grpc_sent_bytes_total',
  'etcd_server_has_leader',
  'etcd_server_leader_changes_seen_total',
  'etcd_server_proposals_applied_total',
  'etcd_server_proposals_committed_total',
  'etcd_server_proposals_failed_total',
  'etcd_server_proposals_pending',
  'etcd_server_quota_backend_bytes',
  'grpc_server_handled_total',
  'grpc_server_handling_seconds_bucket',
  'grpc_server_started_total',
  'process_resident_memory_bytes',
];

/** Those that have a series for each peer, and so none where there is no peer. */
const ALERTED_BY_PEER = [
  'etcd_network_peer_received_bytes_total',
  'etcd_network_peer_round_trip_time_seconds',
  'etcd_network_peer_sent_bytes_total',
  'etcd_network_peer_sent_failures_total',
];

t.test('every metric that the public alerts for etcd ask for is there', async (t) => {
  const { page } = await openLone(t);
  const { status, text } = await page('/metrics');
  t.equal(status, 200);
  const series = new Set([...text.matchAll(/^(\w+)[{ ]/gm)].map(([, name]) => name));
  t.strictSame(
    ALERTED.filter((name) => !series.has(name)),
    [],
  );
  const families = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
  t.strictSame(
    ALERTED_BY_PEER.filter((name) => !families.has(name)),
    [],
  );
});

t.test('every line of the metrics is one that Prometheus takes', async (t) => {
  const { page } = await openLone(t);
  const { text } = await page('/metrics');
  const isSample = /^[a-zA-Z_:][\w:]*(\{(\w+="(\\.|[^"\\\n])*",?)+\})? (-?[\d.]+(e[+-]?\d+)?)$/;
  const lines = text.trimEnd().split('\n');
  t.strictSame(
    lines.filter((line) => !/^# (HELP|TYPE) \w+ ./.test(line) && !isSample.test(line)),
    [],
  );
  const names = lines.flatMap((line) => /^# TYPE (\w+)/.exec(line)?.[1] ?? []);
  t.equal(new Set(names).size, names.length, 'no family comes twice');
});

t.test('a put by the JSON gateway counts everywhere it should', async (t) => {
  const { page } = await openLone(t);
  const body = JSON.stringify({ key: 'YQ==', value: 'MQ==' });
  await page('/v3/kv/put', { method: 'POST', body });
  const { text } = await page('/metrics');
  const labels = 'grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"';
  for (const line of [
    'etcd_mvcc_put_total 1',
    'etcd_debugging_mvcc_keys_total 1',
    'kvorum_request_duration_seconds_count{type="put"} 1',
    `grpc_server_started_total{${labels}} 1`,
    `grpc_server_handled_total{grpc_code="OK",${labels}} 1`,
    `grpc_server_handling_seconds_count{${labels}} 1`,
    'etcd_server_has_leader 1',
    'etcd_server_leader_changes_seen_total 1',
  ]) {
    t.ok(text.includes(`\n${line}\n`), line);
  }
});

t.test('a node that serves is healthy, live and ready', async (t) => {
  const { page } = await openLone(t);
  const all = [
    '[+]data_corruption ok',
    '[+]linearizable_read ok',
    '[+]non_learner ok',
    '[+]serializable_read ok',
    'ok\n',
  ];
  const some = all.filter((line) => !/non_learner|data_corruption/.test(line));
  for (const [path, text] of [
    ['/health', '{"health":"true","reason":""}'],
    ['/health?serializable=true', '{"health":"true","reason":""}'],
    ['/livez', 'ok\n'],
    ['/livez?verbose', '[+]serializable_read ok\nok\n'],
    ['/livez/serializable_read?verbose', '[+]serializable_read ok\nok\n'],
    ['/readyz', 'ok\n'],
    ['/readyz?verbose', all.join('\n')],
    ['/readyz?verbose&exclude=non_learner&exclude=data_corruption', some.join('\n')],
    ['/readyz/linearizable_read', 'ok\n'],
  ] as const) {
    t.strictSame(await page(path), { status: 200, text }, path);
  }
  t.equal((await page('/livez/linearizable_read')).status, 404);
  t.equal((await page('/health', { method: 'POST' })).status, 405);
});

t.test('a store that is full makes its node unhealthy, unless that is left out', async (t) => {
  const { lone, page } = await openLone(t, { upkeep: { quotaBytes: 1 } });
  while (lone.member.store.alarms().length === 0) await nextTick();
  const text = '{"health":"false","reason":"ALARM NOSPACE"}\n';
  t.strictSame(await page('/health'), { status: 503, text });
  t.equal((await page('/health?exclude=NOSPACE')).status, 200);
  t.equal((await page('/livez')).status, 200);
  t.equal((await page('/readyz')).status, 200, 'it is no corruption');
  t.match((await page('/metrics')).text, /\netcd_server_health_failures 1\n/);
});

t.test('of a node that hangs the pages say so, in time', async (t) => {
  const clock = new ManualClock();
  const page = await openGateway(t, await startHung(t), 7n, clock);
  for (const path of [
    '/livez',
    '/readyz/serializable_read',
    '/health?serializable=true',
    '/metrics',
  ]) {
    const { status, text } = await during(page(path), clock);
    t.equal(status, 503, path);
    t.match(text, /serializable_read failed: |RANGE ERROR:|did not answer/, path);
  }
});

t.test('one connection above the limit is closed at once, and counted', async (t) => {
  const lone = await LoneMember.start(t);
  const gateway = await startGateway({
    listens: [{ host: '127.0.0.1', port: 0 }],
    endpoint: lone.endpoint,
    clusterId: lone.member.options.clusterId,
    nodeId: 0,
    clock: createSystemClock(),
    random: createRandom(1),
    log: NO_LOG,
    connectionsMax: { inAll: 9, perAddress: 1 },
  });
  t.teardown(() => gateway.stop());
  const first = connect(gateway.ports[0]!, '127.0.0.1');
  await once(first, 'connect');
  first.write('GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n');
  await once(first, 'data');
  const second = connect(gateway.ports[0]!, '127.0.0.1');
  second.on('error', () => {});
  await new Promise((resolve) => second.once('close', resolve));
  first.write('GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of first) text += chunk;
  t.match(text, /\nkvorum_gateway_connections_refused_total 1\n/);
  // Its place is free again, as soon as the gateway has seen it go.
  let status = 0;
  while (status !== 200) {
    const answer = await fetch(`http://127.0.0.1:${gateway.ports[0]}/livez`).catch(() => undefined);
    status = answer?.status ?? 0;
  }
});

t.test('the log level is set while the node runs', async (t) => {
  const lines: [string, string, LogFields][] = [];
  const tell =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      lines.push([level, event, fields]);
  const log = {
    ...{ debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') },
  };
  const { lone, page } = await openLone(t, { log });
  const put = (body: string) => page('/config/local/log', { method: 'PUT', body });
  t.strictSame(await put('{"Level":"ERROR"}'), { status: 204, text: '' });
  lines.length = 0;
  lone.member.options.log.warn('nobody hears this');
  lone.member.options.log.error('this everybody does');
  t.strictSame(
    lines.map(([, event]) => event),
    ['this everybody does'],
  );
  t.strictSame(await put('{"Level":"DEBUG"}'), { status: 204, text: '' });
  lone.member.options.log.debug('now it is heard');
  t.equal(lines.at(-1)?.[1], 'now it is heard');
  t.strictSame(await put('{"Level":"loud"}'), {
    status: 400,
    text: '{"message":"Invalid log level loud"}',
  });
  t.strictSame(await put('{'), { status: 400, text: '{"message":"Invalid json body"}' });
  t.equal((await page('/config/local/log')).status, 405);
});
