/**
 * A network of namespaces: every node in one of its own, a veth pair each into one bridge, whose
 * own address is the clients'.
 *
 * A path is cut at its beginning: the sender is told, for good, a hardware address of the receiver
 * that nobody has. What it sends from then on is lost without a word, as on a broken wire, while
 * the other direction works on.
 */

import type { Leavings } from './leavings.ts';
import { Impairment, type Machine } from './machine.ts';
import type { Network, Path } from './network.ts';
import { run, succeeds } from './system.ts';

/** An address that nobody has. */
const NOWHERE = '02:00:00:00:00:01';

/** How bad a link can be, from bad to worse. */
const NETEM = ['delay 5ms 5ms', 'delay 20ms 10ms loss 2%', 'delay 50ms 30ms loss 10%', 'loss 30%'];
const NARROW = ['rate 8mbit', 'rate 2mbit', 'rate 500kbit', 'rate 100kbit'];
const NARROW_QUEUE = 'burst 4kb limit 30kb';

/** Severities of bad links are below this. */
export const SEVERITIES = NETEM.length;

/** What bears the number of the run that made it, so that another can tell whose it is. */
const namespaceOf = (slot: number): string => `kvorum-chaos-${process.pid}-${slot}`;
const linkOf = (slot: number): string => `kv${process.pid}n${slot}`;

/** The bridge of a run. */
export const bridgeOf = (pid: number): string => `kvb${pid}`;

/** The network of a cluster. */
export class NamespaceNetwork implements Network {
  readonly addresses: readonly string[];
  readonly clients: number;
  readonly canCut = true;
  readonly canSpoil: boolean;
  readonly #impairment: Impairment;
  readonly #hostAddresses: readonly string[];
  readonly #cut: Map<string, Path> = new Map();
  readonly #spoilt: Set<number> = new Set();

  /** Makes it; it is put away with the leavings. */
  constructor(nodeCount: number, { impairment }: Machine, leavings: Leavings) {
    const { pid } = process;
    const subnet = `10.${128 + ((pid >> 8) & 127)}.${pid & 255}`;
    const slots = Array.from({ length: nodeCount }, (_, slot) => slot);
    this.addresses = slots.map((slot) => `${subnet}.${slot + 1}`);
    this.clients = nodeCount;
    this.canSpoil = impairment !== Impairment.None;
    this.#impairment = impairment;
    this.#hostAddresses = [...this.addresses, `${subnet}.254`];
    leavings.add(() => {
      // The links first: with a namespace they go when its last process is gone, some time later.
      for (const slot of slots) succeeds('ip', ['link', 'delete', linkOf(slot)]);
      for (const slot of slots) succeeds('ip', ['netns', 'delete', namespaceOf(slot)]);
      succeeds('ip', ['link', 'delete', bridgeOf(pid)]);
    });
    this.#make(slots);
  }

  enter(slot: number): readonly string[] {
    return ['nsenter', `--net=/var/run/netns/${namespaceOf(slot)}`];
  }

  cut(paths: readonly Path[]): void {
    const fresh = paths.filter((path) => path.from !== path.to && !this.#cut.has(keyOf(path)));
    for (const path of fresh) this.#cut.set(keyOf(path), path);
    this.#change(fresh, (address) => `neigh replace ${address} lladdr ${NOWHERE} nud permanent`);
  }

  join(paths: readonly Path[]): void {
    const mended = paths.filter((path) => this.#cut.delete(keyOf(path)));
    this.#change(mended, (address) => `neigh del ${address}`);
  }

  spoil(slot: number, severity: number): string {
    const isNetem = this.#impairment === Impairment.Netem;
    const how = isNetem ? `netem ${NETEM[severity]}` : `tbf ${NARROW[severity]} ${NARROW_QUEUE}`;
    const words = how.split(' ');
    run('tc', ['-n', namespaceOf(slot), 'qdisc', 'replace', 'dev', 'eth0', 'root', ...words]);
    run('tc', ['qdisc', 'replace', 'dev', linkOf(slot), 'root', ...words]);
    this.#spoilt.add(slot);
    return how;
  }

  clean(slot: number): void {
    if (!this.#spoilt.delete(slot)) return;
    run('tc', ['-n', namespaceOf(slot), 'qdisc', 'delete', 'dev', 'eth0', 'root']);
    run('tc', ['qdisc', 'delete', 'dev', linkOf(slot), 'root']);
  }

  heal(): void {
    this.join([...this.#cut.values()]);
    for (const slot of [...this.#spoilt]) this.clean(slot);
  }

  #make(slots: readonly number[]): void {
    const bridge = bridgeOf(process.pid);
    const address = `addr add ${this.#hostAddresses.at(-1)}/24 dev ${bridge}`;
    batch([], [`link add ${bridge} type bridge`, address, `link set ${bridge} up`]);
    for (const slot of slots) {
      const name = namespaceOf(slot);
      const peer = `type veth peer name eth0 netns ${name}`;
      const add = [`netns add ${name}`, `link add ${linkOf(slot)} ${peer}`];
      batch([], [...add, `link set ${linkOf(slot)} master ${bridge} up`]);
      const own = `addr add ${this.#hostAddresses[slot]}/24 dev eth0`;
      batch(['-n', name], ['link set lo up', own, 'link set eth0 up']);
    }
  }

  /** Changes what the senders of some paths know of the receivers. */
  #change(paths: readonly Path[], lineOf: (address: string) => string): void {
    for (const host of new Set(paths.map(({ from }) => from))) {
      const isClients = host === this.clients;
      const device = isClients ? bridgeOf(process.pid) : 'eth0';
      const receivers = paths.filter(({ from }) => from === host).map(({ to }) => to);
      const lines = receivers.map((to) => `${lineOf(this.#hostAddresses[to]!)} dev ${device}`);
      batch(isClients ? [] : ['-n', namespaceOf(host)], lines);
    }
  }
}

const keyOf = ({ from, to }: Path): string => `${from} ${to}`;

function batch(where: readonly string[], lines: readonly string[]): void {
  run('ip', [...where, '-batch', '-'], `${lines.join('\n')}\n`);
}
