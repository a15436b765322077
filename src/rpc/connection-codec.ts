/**
 * Frames about the connection itself: HELLO, ERROR, REDIRECT, PING, PONG.
 * Byte tables: docs/PROTOCOL.md 4.
 */

import {
  ConnectionRole,
  ERROR_TEXT_BYTES_MAX,
  ERRORS,
  ErrorCode,
  FrameType,
  HELLO_MAGIC,
  type Hello,
  KvorumError,
  PROTOCOL_VERSION_MIN,
  type Redirect,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const body = new BodyReader();

const ROLE_MAX: number = ConnectionRole.Snapshot;

/** Writes a HELLO frame. */
export function writeHello(writer: FrameWriter, hello: Hello): void {
  writer.begin(FrameType.Hello, 0);
  writer.u32(HELLO_MAGIC);
  writer.u16(hello.version);
  writer.u8(hello.role);
  writer.id64(hello.clusterId);
  writer.node(hello.nodeId);
  writer.node(hello.targetId);
  writer.end();
}

/**
 * Reads the body of a HELLO frame. Magic and version are judged before anything that another
 * version may have laid out differently.
 *
 * @throws KvorumError HelloExpected, VersionMismatch, FrameMalformed
 */
export function decodeHello(buffer: Buffer, start: number, end: number): Hello {
  body.open(buffer, start, end);
  if (body.u32('magic') !== HELLO_MAGIC) {
    throw new KvorumError(
      ErrorCode.HelloExpected,
      'HELLO without KVRM: is this a kvorum connection?',
    );
  }
  const version = body.u16('version');
  if (version < PROTOCOL_VERSION_MIN) {
    const why = `protocol version ${version} is below ${PROTOCOL_VERSION_MIN}: use a newer release`;
    throw new KvorumError(ErrorCode.VersionMismatch, why);
  }
  const role = body.choice('role', ROLE_MAX) as ConnectionRole;
  const clusterId = body.id64('cluster id');
  const nodeId = body.nodeOrNone('node id');
  const targetId = body.nodeOrNone('target id');
  body.close();
  return { version, role, clusterId, nodeId, targetId };
}

/**
 * Writes an ERROR frame.
 *
 * @param id the request refused; 0 when the connection itself is
 * @param text cut to ERROR_TEXT_BYTES_MAX
 */
export function writeError(writer: FrameWriter, id: number, code: ErrorCode, text: string): void {
  writer.begin(FrameType.Error, id);
  writer.u16(code);
  writer.bytes(cutText(text));
  writer.end();
}

/** Reads the body of an ERROR frame. @throws KvorumError FrameMalformed */
export function decodeError(buffer: Buffer, start: number, end: number): KvorumError {
  body.open(buffer, start, end);
  const code = body.u16('error code') as ErrorCode;
  if (!ERRORS.has(code)) throw malformed('error code', `${code} is unknown`);
  const text = body.textOf('error text', body.leftBytes);
  body.close();
  return new KvorumError(code, text.length === 0 ? undefined : text);
}

/** Writes a REDIRECT frame as the answer to request `id`. */
export function writeRedirect(writer: FrameWriter, id: number, redirect: Redirect): void {
  assert(redirect.port > 0, 'a leader listens on a port', redirect.port);
  writer.begin(FrameType.Redirect, id);
  writer.node(redirect.leaderId);
  writer.u16(redirect.port);
  writer.text(redirect.address);
  writer.end();
}

/** Reads the body of a REDIRECT frame. @throws KvorumError FrameMalformed */
export function decodeRedirect(buffer: Buffer, start: number, end: number): Redirect {
  body.open(buffer, start, end);
  const leaderId = body.node('leader id');
  const port = body.u16('port');
  if (port === 0) throw malformed('port', '0 is no port');
  const address = body.text('address');
  if (address.length === 0) throw malformed('address', 'empty');
  body.close();
  return { leaderId, address, port };
}

/**
 * Writes a PING frame.
 *
 * @param stamp comes back in the PONG: the asker's own clock, 0 to 2^53 - 1
 */
export function writePing(writer: FrameWriter, stamp: number): void {
  writer.begin(FrameType.Ping, 0);
  writer.u64(stamp);
  writer.end();
}

/** Writes the answer to a PING. */
export function writePong(writer: FrameWriter, id: number, stamp: number): void {
  writer.begin(FrameType.Pong, id);
  writer.u64(stamp);
  writer.end();
}

/** Reads the stamp of a PING or PONG. @throws KvorumError FrameMalformed */
export function decodeStamp(buffer: Buffer, start: number, end: number): number {
  body.open(buffer, start, end);
  const stamp = body.u64('stamp');
  body.close();
  return stamp;
}

/** The text's UTF-8, cut between characters. */
function cutText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= ERROR_TEXT_BYTES_MAX) return bytes;
  let end = ERROR_TEXT_BYTES_MAX;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
