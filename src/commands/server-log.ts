/**
 * Where a server's events go: lines for people on a terminal, one JSON object a line otherwise.
 *
 * Lines are written at once, in the thread that logs: the last words of a node that dies are kept.
 */

import pino, { type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import type { Log, LogLevel } from '../../include/log.ts';
import type { NodeId } from '../../include/node.ts';
import { createLevelledLog, type LevelledLog } from '../node/levelled-log.ts';

/** Names that pino gives a line besides the fields of the event. */
const ENVELOPE = new Set(['level', 'time', 'node', 'event', 'msg']);

/** A stream of the process by its descriptor. */
type Descriptor = 1 | 2;

/** Makes the log of one node: in a file if one is given, else on a stream of the process. */
export function createServerLog(
  nodeId: NodeId,
  level: LogLevel,
  file: DestinationStream | undefined = undefined,
  descriptor: Descriptor = 1,
): LevelledLog {
  const stream = file ?? standardStream(descriptor);
  const options = {
    level: 'debug',
    base: { node: nodeId },
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, stream);
  const log: Log = {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
  };
  return createLevelledLog(log, level);
}

function standardStream(descriptor: Descriptor): DestinationStream {
  const { isTTY } = descriptor === 1 ? process.stdout : process.stderr;
  return isTTY ? prettyStream(descriptor) : pino.destination({ dest: descriptor, sync: true });
}

function prettyStream(descriptor: Descriptor): pretty.PrettyStream {
  return pretty({
    colorize: true,
    destination: descriptor,
    sync: true,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss.l',
    hideObject: true,
    messageFormat: (line) => {
      const fields = Object.entries(line)
        .filter(([name]) => !ENVELOPE.has(name))
        .map(
          ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
        );
      return [`node ${line.node}`, String(line.event), ...fields].join('  ');
    },
  });
}
