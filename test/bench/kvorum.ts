/** Three kvorum nodes, with kvorum's defaults. Asked after their health in their own protocol. */

import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { FROM_KEY } from '../../include/kvstore.ts';
import { NO_NODE, Role } from '../../include/node.ts';
import {
  FRAME_HEADER_BYTES,
  FRAME_LENGTH_BYTES,
  FrameType,
  type Reply,
  type Request,
} from '../../include/rpc.ts';
import { decodeError } from '../../src/rpc/connection-codec.ts';
import { decodeReply } from '../../src/rpc/reply-codec.ts';
import { writeRequest } from '../../src/rpc/request-codec.ts';
import { framesOf, helloFrame } from './kvorum-frames.ts';
import { plainRange } from './kvorum-wire.ts';
import { type Command, compaction, type Layout, STATE_TIMEOUT_MS, type System } from './system.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

const TYPE_OFFSET = 4;

/** How the nodes are started. */
export type KvorumOptions = {
  /** The packaged binary; undefined: node on src/main.ts. */
  readonly binary: string | undefined;
  /** Where each node leaves a CPU profile when it stops; undefined: none is taken. */
  readonly profileDirectory: string | undefined;
  /** Whether the nodes have gateways for clients of etcd. */
  readonly hasGateways: boolean;
};

/** kvorum as the benchmark sees it. */
export function createKvorum(options: KvorumOptions): System {
  return {
    name: 'kvorum',

    prepare: (layout) => {
      const lines = layout.clientPorts.map((port, slot) => {
        const gateway = options.hasGateways ? ` client=${layout.peerPorts[slot]}` : '';
        return `${slot} 127.0.0.1 ${port}${gateway}\n`;
      });
      writeFileSync(confPath(layout), lines.join(''));
    },

    etcdPorts: ({ peerPorts }) => peerPorts,

    command: (layout, slot) => {
      const identity =
        slot < layout.founderCount
          ? ['--id', String(slot), '--conf', confPath(layout)]
          : ['--join', endpointOf(layout, 0), '--listen', endpointOf(layout, slot)];
      const data = ['--data-dir', join(layout.directory, `n${slot}`)];
      return command(options, ['serve', ...identity, ...data], profileFlags(options, slot));
    },

    addMember: () => undefined,

    saveSnapshot: (layout, slot, path) => {
      const words = ['--endpoints', endpointOf(layout, slot), 'snapshot', 'save', path];
      return command(options, words, []);
    },

    compact: (layout, slot, revision) => {
      const words = ['--endpoints', endpointOf(layout, slot), ...compaction(revision)];
      return command(options, words, []);
    },

    state: async (port) => {
      const { body: status } = await ask(port, { type: FrameType.Status });
      return {
        isLeader: status.role === Role.Leader,
        hasLeader: status.leader !== NO_NODE,
        appliedIndex: status.appliedIndex,
        isVoter: !status.isLearner,
      };
    },

    countKeys: async (port) => {
      const range = { ...plainRange(FROM_KEY), rangeEnd: FROM_KEY, countOnly: true };
      const { body: answer } = await ask(port, { type: FrameType.Range, body: range });
      return answer.count;
    },
  };
}

function confPath(layout: Layout): string {
  return join(layout.directory, 'nodes.conf');
}

function endpointOf(layout: Layout, slot: number): string {
  return `127.0.0.1:${layout.clientPorts[slot]}`;
}

/** @param nodeFlags of node, where no binary is run */
function command({ binary }: KvorumOptions, args: string[], nodeFlags: string[]): Command {
  if (binary !== undefined) return { file: binary, args, env: {} };
  return { file: process.execPath, args: [...nodeFlags, MAIN, ...args], env: {} };
}

function profileFlags(options: KvorumOptions, slot: number): string[] {
  if (options.profileDirectory === undefined) return [];
  const name = `--cpu-prof-name=n${slot}.cpuprofile`;
  return ['--cpu-prof', `--cpu-prof-dir=${options.profileDirectory}`, name];
}

/** Asks one question on a connection of its own. */
function ask<R extends Extract<Request, { type: Reply['type'] }>>(
  port: number,
  request: R,
): Promise<Extract<Reply, { type: R['type'] }>> {
  const asked = framesOf((writer) => writeRequest(writer, 1, request));
  const type: R['type'] = request.type;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let bytes: Buffer = Buffer.alloc(0);
    socket.setTimeout(STATE_TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('kvorum closed the connection')));
    socket.on('connect', () => socket.write(Buffer.concat([helloFrame(), asked])));
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= FRAME_HEADER_BYTES) {
        const end = FRAME_LENGTH_BYTES + bytes.readUInt32BE(0);
        if (end > bytes.length) return;
        const frameType = bytes[TYPE_OFFSET];
        try {
          if (frameType === FrameType.Reply) {
            resolve(decodeReply(type, bytes, FRAME_HEADER_BYTES, end));
          } else if (frameType === FrameType.Error)
            reject(decodeError(bytes, FRAME_HEADER_BYTES, end));
        } catch (error) {
          reject(error);
        }
        if (frameType !== FrameType.Hello) socket.destroy();
        bytes = bytes.subarray(end);
      }
    });
  });
}
