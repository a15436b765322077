/** Asking for the members and changing them. Byte tables: docs/PROTOCOL.md 5 and 6. */

import {
  MEMBER_STEPS_MAX,
  type MemberChangeReply,
  type MemberChangeRequest,
  type MemberListReply,
  type MemberListRequest,
  type MemberStep,
  MemberStepKind,
  type ReplyHeader,
} from '../../include/rpc.ts';
import { type BodyReader, malformed } from './body-reader.ts';
import { putConfiguration, readConfiguration } from './configuration-codec.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Bytes of a step without its texts: kind, id, flag, ports, lengths. */
const STEP_BYTES_MIN = 14;

const KIND_MAX: number = MemberStepKind.Update;
const ID_BYTES = 4;

/** Puts the body of a MEMBER_LIST. */
export function putMemberListRequest(writer: FrameWriter, request: MemberListRequest): void {
  writer.flag(request.serializable);
}

/** Reads the body of a MEMBER_LIST. @throws KvorumError FrameMalformed */
export function readMemberListRequest(body: BodyReader): MemberListRequest {
  return { serializable: body.flag('serializable') };
}

/** Puts the body of a MEMBER_CHANGE. */
export function putMemberChangeRequest(writer: FrameWriter, request: MemberChangeRequest): void {
  writer.flag(request.force);
  writer.u32(request.steps.length);
  for (const step of request.steps) {
    writer.u8(step.kind);
    writer.node(step.id);
    writer.flag(step.isLearner);
    writer.u16(step.port);
    writer.u16(step.clientPort);
    writer.text(step.name);
    writer.text(step.address);
  }
}

/** Reads the body of a MEMBER_CHANGE. @throws KvorumError FrameMalformed */
export function readMemberChangeRequest(body: BodyReader): MemberChangeRequest {
  const force = body.flag('force');
  const count = body.count('steps', STEP_BYTES_MIN);
  if (count < 1 || count > MEMBER_STEPS_MAX) {
    throw malformed('steps', `${count} is not from 1 to ${MEMBER_STEPS_MAX}`);
  }
  const steps: MemberStep[] = [];
  for (let slot = 0; slot < count; slot += 1) steps.push(readStep(body));
  return { steps, force };
}

/** Puts a reply to a MEMBER_LIST after its header. */
export function putMemberListReply(writer: FrameWriter, reply: MemberListReply): void {
  putConfiguration(writer, reply.configuration);
}

/** Reads a reply to a MEMBER_LIST after its header. @throws KvorumError FrameMalformed */
export function readMemberListReply(body: BodyReader, header: ReplyHeader): MemberListReply {
  return { ...header, configuration: readConfiguration(body) };
}

/** Puts a reply to a MEMBER_CHANGE after its header. */
export function putMemberChangeReply(writer: FrameWriter, reply: MemberChangeReply): void {
  writer.u32(reply.added.length);
  for (const id of reply.added) writer.node(id);
  putConfiguration(writer, reply.configuration);
}

/** Reads a reply to a MEMBER_CHANGE after its header. @throws KvorumError FrameMalformed */
export function readMemberChangeReply(body: BodyReader, header: ReplyHeader): MemberChangeReply {
  const count = body.count('added', ID_BYTES);
  const added: number[] = [];
  for (let slot = 0; slot < count; slot += 1) added.push(body.node('added'));
  return { ...header, added, configuration: readConfiguration(body) };
}

function readStep(body: BodyReader): MemberStep {
  const kind = body.choice('kind', KIND_MAX) as MemberStepKind;
  const id = body.nodeOrNone('id');
  const isLearner = body.flag('is learner');
  const port = body.u16('port');
  const clientPort = body.u16('client port');
  const name = body.text('name');
  const address = body.text('address');
  return { kind, id, name, address, port, clientPort, isLearner };
}
