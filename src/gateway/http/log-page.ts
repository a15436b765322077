/** `PUT /config/local/log` `{"Level":"DEBUG"}`: how much the node logs, as etcd 3.4 has it. */

import { LOG_LEVELS, type LogLevel } from '../../../include/log.ts';
import { FrameType } from '../../../include/rpc.ts';
import type { NodeClient } from '../node-client.ts';
import { answerText, answerWith, type Exchange } from './exchange.ts';

/** Most bytes of a body. */
const BODY_BYTES_MAX = 1_024;

/** Reads the level and sets it at the node. */
export function answerLogLevel(node: NodeClient, exchange: Exchange): void {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  exchange.listener = {
    onBody: (chunk) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= BODY_BYTES_MAX) parts.push(chunk);
    },
    onEnd: () => void setLevel(node, exchange, Buffer.concat(parts).toString()),
    onClosed: () => {},
    onDrain: () => {},
  };
}

async function setLevel(node: NodeClient, exchange: Exchange, text: string): Promise<void> {
  const named = readLevel(text);
  if (named === undefined) return refuse(exchange, 'Invalid json body');
  const level = LOG_LEVELS.find((each) => each === named.toLowerCase());
  if (level === undefined) return refuse(exchange, `Invalid log level ${named}`);
  await tell(node, exchange, level);
}

async function tell(node: NodeClient, exchange: Exchange, level: LogLevel): Promise<void> {
  try {
    await node.askOwn({ type: FrameType.LogLevel, body: { level } });
    answerWith(exchange, 204, {}, '');
  } catch (error) {
    answerText(exchange, 503, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function readLevel(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('Level' in body)) return undefined;
    return typeof body.Level === 'string' ? body.Level : undefined;
  } catch {
    return undefined;
  }
}

function refuse(exchange: Exchange, message: string): void {
  const type = { 'content-type': 'application/json' };
  answerWith(exchange, 400, type, JSON.stringify({ message }));
}
