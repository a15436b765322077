/** A DNS server that knows the SRV records of one name (RFC 1035, RFC 2782). */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';

/** A record: where a member is. */
export type SrvRecord = { readonly host: string; readonly port: number };

const SRV = 33;
const HEADER_BYTES = 12;
const NXDOMAIN = 3;

function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`\0${label}`));
  for (const label of labels) label.writeUInt8(label.length - 1, 0);
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

function answerOf({ host, port }: SrvRecord): Buffer {
  const target = encodeName(host);
  const head = Buffer.alloc(18);
  head.writeUInt16BE(0xc000 + HEADER_BYTES, 0); // the name asked for
  head.writeUInt16BE(SRV, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(6 + target.length, 10);
  head.writeUInt16BE(port, 16);
  return Buffer.concat([head, target]);
}

/** Starts the server, which ends with the test. Returns its `address:port`. */
export async function startDns(t: Test, name: string, records: readonly SrvRecord[]) {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const question = Buffer.concat([encodeName(name), Buffer.from([0, SRV, 0, 1])]);
    const asked = query.subarray(HEADER_BYTES, HEADER_BYTES + question.length);
    const isKnown = asked.toString('latin1').toLowerCase() === question.toString('latin1');
    const head = Buffer.alloc(HEADER_BYTES);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8400 | (isKnown ? 0 : NXDOMAIN), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(isKnown ? records.length : 0, 6);
    const end = query.indexOf(0, HEADER_BYTES) + 5;
    const answers = isKnown ? records.map(answerOf) : [];
    const reply = Buffer.concat([head, query.subarray(HEADER_BYTES, end), ...answers]);
    socket.send(reply, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => void socket.close());
  return `127.0.0.1:${socket.address().port}`;
}
