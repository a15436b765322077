/**
 * etcd's server flags, of releases 3.4 to 3.6: what each takes, and what becomes of it here.
 *
 * Used flags mean what they mean for etcd. Ignored ones are about what kvorum does by itself, or
 * does not have: a value other than the default is warned about. Refused ones would make somebody
 * believe in a protection, or a cluster, that is not there.
 */

/** What a flag takes. */
export type FlagKind = 'string' | 'boolean' | 'integer' | 'duration';

/** What becomes of a flag. */
export type FlagFate = 'used' | 'ignored' | 'refused';

/** A flag of etcd. */
export type EtcdFlag = {
  readonly kind: FlagKind;
  /** As text; what is not given has this value. */
  readonly initial: string;
  readonly fate: FlagFate;
  /** For help: what it is for. Of one that is not used: why. */
  readonly text: string;
};

/** Makes flags of a kind and a default, each by its name and text. */
function flags(
  kind: FlagKind,
  fate: FlagFate,
  rows: readonly (readonly [name: string, initial: string, text: string])[],
): [string, EtcdFlag][] {
  return rows.map(([name, initial, text]) => [name, { kind, initial, fate, text }]);
}

/** Flags of one fate and one reason: names with their defaults. */
function alike(
  kind: FlagKind,
  fate: FlagFate,
  text: string,
  defaults: Readonly<Record<string, string>>,
): [string, EtcdFlag][] {
  return flags(
    kind,
    fate,
    Object.entries(defaults).map(([name, initial]) => [name, initial, text] as const),
  );
}

const USED: [string, EtcdFlag][] = [
  ...flags('string', 'used', [
    ['name', 'default', 'what this member is called'],
    ['data-dir', '', 'where log and store are kept; NAME.etcd if left out'],
    ['listen-peer-urls', 'http://localhost:2380', 'where to listen for peers and native clients'],
    ['listen-client-urls', 'http://localhost:2379', 'where to listen for clients of etcd'],
    ['initial-advertise-peer-urls', 'http://localhost:2380', 'where the others reach this member'],
    ['advertise-client-urls', 'http://localhost:2379', 'where clients reach this member'],
    ['initial-cluster', '', 'the members a cluster is born with: NAME=URL,NAME=URL'],
    ['initial-cluster-state', 'new', 'new, or existing for a member that was added'],
    ['initial-cluster-token', 'etcd-cluster', 'tells clusters with the same members apart'],
    ['log-level', 'info', 'debug, info, warn, error, panic or fatal'],
    ['log-outputs', 'default', 'stderr (default), stdout or a file'],
    ['auto-compaction-mode', 'periodic', 'periodic, or revision'],
    ['auto-compaction-retention', '0', 'how old revisions are compacted, or how many are left'],
    ['config-file', '', 'YAML with all flags; others, and the environment, do not count then'],
  ]),
  ...flags('integer', 'used', [
    ['heartbeat-interval', '100', "milliseconds between a leader's heartbeats"],
    ['election-timeout', '1000', 'milliseconds without a leader before an election'],
    ['snapshot-count', '100000', 'log entries kept for members that lag'],
    ['quota-backend-bytes', '0', 'bytes of the store in use above which it is full; 0: 64 GiB'],
  ]),
  ...flags('duration', 'used', [
    ['experimental-watch-progress-notify-interval', '10m', 'how often quiet watches hear progress'],
    ['watch-progress-notify-interval', '10m', 'the same, as 3.6 calls it'],
    ['experimental-warning-unary-request-duration', '300ms', 'from when on a request is logged'],
    ['warning-unary-request-duration', '300ms', 'the same, as 3.6 calls it'],
    ['experimental-corrupt-check-time', '0s', 'how often the members compare their stores'],
    ['corrupt-check-time', '0s', 'the same, as 3.6 calls it'],
  ]),
  ...flags('boolean', 'used', [
    ['force-new-cluster', 'false', 'go on without the other members, which are lost for good'],
    ['version', 'false', 'print the version'],
  ]),
];

const REFUSED: [string, EtcdFlag][] = [
  ...alike('string', 'refused', 'TLS is not served yet: put a TLS proxy in front of the port', {
    'cert-file': '',
    'key-file': '',
    'trusted-ca-file': '',
    'client-crl-file': '',
    'client-cert-file': '',
    'client-key-file': '',
    'client-cert-allowed-hostname': '',
    'peer-cert-file': '',
    'peer-key-file': '',
    'peer-trusted-ca-file': '',
    'peer-crl-file': '',
    'peer-client-cert-file': '',
    'peer-client-key-file': '',
    'peer-cert-allowed-cn': '',
    'peer-cert-allowed-hostname': '',
  }),
  ...alike('boolean', 'refused', 'TLS is not served yet: put a TLS proxy in front of the port', {
    'client-cert-auth': 'false',
    'peer-client-cert-auth': 'false',
    'auto-tls': 'false',
    'peer-auto-tls': 'false',
  }),
  ...alike('string', 'refused', 'there is no discovery: give --initial-cluster', {
    discovery: '',
    'discovery-proxy': '',
    'discovery-srv': '',
    'discovery-srv-name': '',
    'discovery-token': '',
    'discovery-endpoints': '',
  }),
  ...alike('string', 'refused', 'a separate port for HTTP is not served', {
    'listen-client-http-urls': '',
  }),
  ...alike('string', 'refused', 'kvorum is no proxy', { proxy: 'off' }),
];

/** About what kvorum does in its own way, by the reason that is logged. */
const IGNORED: [string, EtcdFlag][] = [
  ...alike('string', 'ignored', 'kvorum keeps its log in the data directory', { 'wal-dir': '' }),
  ...alike('integer', 'ignored', 'kvorum keeps the files that it needs', {
    'max-snapshots': '5',
    'max-wals': '5',
  }),
  ...alike('integer', 'ignored', 'the limit of kvorum is a constant', {
    'max-txn-ops': '128',
    'max-request-bytes': '1572864',
    'max-concurrent-streams': '4294967295',
    'max-learners': '1',
  }),
  ...alike('string', 'ignored', 'kvorum writes to its store in its own way', {
    'backend-batch-interval': '',
    'experimental-backend-bbolt-freelist-type': 'array',
    'backend-bbolt-freelist-type': 'array',
  }),
  ...alike('integer', 'ignored', 'kvorum writes to its store in its own way', {
    'backend-batch-limit': '0',
    'experimental-compaction-batch-limit': '1000',
    'compaction-batch-limit': '1000',
    'experimental-snapshot-catchup-entries': '5000',
    'snapshot-catchup-entries': '5000',
    'experimental-bootstrap-defrag-threshold-megabytes': '0',
    'bootstrap-defrag-threshold-megabytes': '0',
  }),
  ...alike('duration', 'ignored', 'kvorum writes to its store in its own way', {
    'experimental-compaction-sleep-interval': '10ms',
    'compaction-sleep-interval': '10ms',
  }),
  ...alike('boolean', 'ignored', 'kvorum syncs every write', { 'unsafe-no-fsync': 'false' }),
  ...alike('duration', 'ignored', 'connections are kept alive by TCP', {
    'grpc-keepalive-min-time': '5s',
    'grpc-keepalive-interval': '2h',
    'grpc-keepalive-timeout': '20s',
  }),
  ...alike('boolean', 'ignored', 'kvorum always does, or never needs to', {
    'initial-election-tick-advance': 'true',
    'strict-reconfig-check': 'true',
    'pre-vote': 'true',
    'enable-grpc-gateway': 'true',
    'experimental-enable-lease-checkpoint': 'true',
    'experimental-enable-lease-checkpoint-persist': 'true',
    'experimental-txn-mode-write-with-shared-buffer': 'true',
    'experimental-memory-mlock': 'false',
    'memory-mlock': 'false',
    'socket-reuse-port': 'false',
    'socket-reuse-address': 'false',
    'experimental-peer-skip-client-san-verification': 'false',
  }),
  ...alike('boolean', 'ignored', 'with --corrupt-check-time who has come back is compared', {
    'experimental-initial-corrupt-check': 'false',
  }),
  ...alike('boolean', 'ignored', 'kvorum does not have it', {
    'enable-v2': 'false',
    'enable-pprof': 'false',
    'experimental-compact-hash-check-enabled': 'false',
    'experimental-enable-distributed-tracing': 'false',
    'enable-distributed-tracing': 'false',
    'experimental-stop-grpc-service-on-defrag': 'false',
  }),
  ...alike('string', 'ignored', 'kvorum does not have it', {
    'experimental-enable-v2v3': '',
    'experimental-distributed-tracing-address': '',
    'experimental-distributed-tracing-service-name': '',
    'experimental-distributed-tracing-instance-id': '',
    'discovery-fallback': 'proxy',
    'feature-gates': '',
    'v2-deprecation': '',
    'downgrade-check-time': '5s',
    'listen-metrics-urls': '',
    'cipher-suites': '',
    'tls-min-version': 'TLS1.2',
    'tls-max-version': '',
  }),
  ...alike('duration', 'ignored', 'kvorum does not have it', {
    'experimental-compact-hash-check-time': '1m',
    'compact-hash-check-time': '1m',
    'experimental-downgrade-check-time': '5s',
    'experimental-warning-apply-duration': '100ms',
    'warning-apply-duration': '100ms',
  }),
  ...alike('integer', 'ignored', 'kvorum is no proxy', {
    'proxy-failure-wait': '5000',
    'proxy-refresh-interval': '30000',
    'proxy-dial-timeout': '1000',
    'proxy-write-timeout': '5000',
    'proxy-read-timeout': '0',
  }),
  ...alike('string', 'ignored', 'every host and origin is answered', {
    cors: '*',
    'host-whitelist': '*',
  }),
  ...alike('string', 'ignored', 'there are no users yet', { 'auth-token': 'simple' }),
  ...alike('integer', 'ignored', 'there are no users yet', {
    'auth-token-ttl': '300',
    'bcrypt-cost': '10',
  }),
  ...alike('string', 'ignored', 'kvorum shows all metrics that it has', { metrics: 'basic' }),
  ...alike('string', 'ignored', 'kvorum writes its log in its own form', {
    logger: 'zap',
    'log-format': 'json',
    'log-package-levels': '',
    'log-rotation-config-json': '',
  }),
  ...alike('boolean', 'ignored', 'kvorum writes its log in its own form', {
    debug: 'false',
    'enable-log-rotation': 'false',
  }),
];

/** The flags by name. */
export const ETCD_FLAGS: ReadonlyMap<string, EtcdFlag> = new Map([...USED, ...REFUSED, ...IGNORED]);
