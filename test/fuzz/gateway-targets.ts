/** Decoders of other people's protocols: protobuf, JSON, HPACK, HTTP/2. */

import { Duplex } from 'node:stream';
import type { Clock } from '../../src/clock.ts';
import { JsonSplitter } from '../../src/gateway/http/json-splitter.ts';
import { Http2Connection } from '../../src/gateway/http2/connection.ts';
import { H2Flag, H2Frame } from '../../src/gateway/http2/frames.ts';
import {
  type Header,
  HpackError,
  HpackReader,
  writeHeaderBlock,
} from '../../src/gateway/http2/hpack.ts';
import { decode, ProtobufError } from '../../src/gateway/protobuf/decode.ts';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import { fromJson, JsonError, toJson } from '../../src/gateway/protobuf/json.ts';
import { drawMessage, MESSAGE_TYPES } from '../gateway/draw-messages.ts';
import { frame, headersFrame, OPENING, REQUEST, u32 } from '../gateway/raw-http2.ts';
import { readOrRefuse, type Target } from './target.ts';

const protobuf: Target[] = MESSAGE_TYPES.flatMap((type) => [
  {
    name: `protobuf ${type.name}`,
    draw: (random) => encode(type, drawMessage(type, random)),
    read: (bytes) =>
      readOrRefuse(() => {
        // What can be read can be written.
        encode(type, decode(type, bytes, 0, bytes.length));
      }, [ProtobufError]),
  },
  {
    name: `JSON ${type.name}`,
    draw: (random) => Buffer.from(toJson(type, drawMessage(type, random))),
    read: (bytes) =>
      readOrRefuse(() => {
        toJson(type, fromJson(type, `${bytes}`));
      }, [JsonError]),
  },
]);

const splitter: Target = {
  name: 'stream of JSON',
  draw: (random) => Buffer.from('{"a":"}"} {"b":[{}]}\n{}'.repeat(1 + random.below(3))),
  read: (bytes) => {
    const split = new JsonSplitter();
    for (let offset = 0; offset < bytes.length; offset += 7) {
      split.push(bytes.subarray(offset, offset + 7));
    }
    return true;
  },
};

const hpack: Target = {
  name: 'HPACK',
  draw: (random) => {
    const count = 1 + random.below(6);
    const headers = Array.from({ length: count }, (_, slot): Header => {
      return REQUEST[slot] ?? [`x-${random.below(9)}`, 'v'.repeat(random.below(40))];
    });
    return writeHeaderBlock(headers);
  },
  read: (bytes) => {
    const reader = new HpackReader();
    // Twice, with one table: a block goes on from what the last one left.
    return readOrRefuse(() => {
      reader.read(bytes);
      reader.read(Buffer.from(bytes));
    }, [HpackError]);
  },
};

/** Nobody waits: nothing is done later. */
const STILL: Clock = {
  nowMs: () => 0,
  wallMs: () => 0,
  soon: () => ({ cancel: () => {} }),
  after: () => ({ cancel: () => {} }),
  every: () => ({ cancel: () => {} }),
};

const http2: Target = {
  name: 'HTTP/2',
  draw: (random) => {
    const frames = [OPENING];
    for (let stream = 1; stream < 2 + random.below(8); stream += 2) {
      frames.push(headersFrame(stream, REQUEST, false));
      frames.push(frame(H2Frame.Data, H2Flag.EndStream, stream, Buffer.alloc(random.below(50))));
      if (random.below(2) === 0) frames.push(frame(H2Frame.WindowUpdate, 0, 0, u32(9)));
      if (random.below(3) === 0) frames.push(frame(H2Frame.RstStream, 0, stream, u32(8)));
    }
    return Buffer.concat(frames);
  },
  read: (bytes) => {
    const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
    const connection = new Http2Connection(socket, bytes, {
      clock: STILL,
      flushQueue: { add: () => {} },
      onStream: (stream) => {
        stream.listener = {
          onData: () => {},
          onEnd: () => {},
          onClosed: () => {},
          onDrain: () => {},
        };
      },
      onClosed: () => {},
    });
    connection.destroy();
    return true;
  },
};

/** All of them. */
export const GATEWAY_TARGETS: readonly Target[] = [...protobuf, splitter, hpack, http2];
