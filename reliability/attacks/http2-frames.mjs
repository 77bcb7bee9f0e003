import { Buffer } from 'node:buffer';

/** @see https://www.rfc-editor.org/rfc/rfc9113#name-frame-definitions */
export const types = { headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8, continuation: 9 };
const endStream = 0x1;
const endHeaders = 0x4;

/** What a client begins with: the preface, and SETTINGS without any. */
export const beginning = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(types.settings, 0, 0)]);

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A GET, whole in one frame unless more is to follow. */
export function get(stream, path, host, { isWhole = true } = {}) {
  return frame(types.headers, endStream | (isWhole ? endHeaders : 0), stream, getBlock(path, host));
}

/** CANCEL. */
export function reset(stream) {
  return frame(types.reset, 0, stream, number(8));
}

export function windowUpdate(stream, increment) {
  return frame(types.windowUpdate, 0, stream, number(increment));
}

/** One more field of a head that goes on after it. */
export function continuation(stream) {
  return frame(types.continuation, 0, stream, Buffer.concat([Buffer.from([0x00]), string('x-a'), string('a')]));
}

export const ping = frame(types.ping, 0, 0, Buffer.alloc(8));

/** A setting that changes nothing: ENABLE_PUSH, 0. */
export const settings = frame(types.settings, 0, 0, Buffer.from([0, 2, 0, 0, 0, 0]));

/** Fields by the static table, the others as literals that no table keeps. @see https://www.rfc-editor.org/rfc/rfc7541#appendix-A */
function getBlock(path, host) {
  const method = Buffer.from([0x82]);
  const scheme = Buffer.from([0x87]);
  return Buffer.concat([method, scheme, Buffer.from([0x04]), string(path), Buffer.from([0x01]), string(host)]);
}

function string(text) {
  // A length below 127 is one byte, and the highest bit would say that it is Huffman-coded.
  if (text.length >= 127) throw new Error(`"${text}" is too long for this writer`);
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

function number(value) {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return payload;
}

/** Takes bytes as they come, and gives each frame once it is whole. */
export class FrameReader {
  rest = Buffer.alloc(0);

  *read(data) {
    this.rest = this.rest.length === 0 ? data : Buffer.concat([this.rest, data]);
    while (this.rest.length >= 9) {
      const length = this.rest.readUIntBE(0, 3);
      if (this.rest.length < 9 + length) return;
      const [type, flags] = [this.rest[3], this.rest[4]];
      const stream = this.rest.readUInt32BE(5) & 0x7fffffff;
      const payload = this.rest.subarray(9, 9 + length);
      this.rest = this.rest.subarray(9 + length);
      const first = (flags & 0x1) !== 0;
      const acknowledges = first && (type === types.ping || type === types.settings);
      yield { type, stream, payload, endsStream: first && type <= 1, acknowledges };
    }
  }
}

const statusesByIndex = { 8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500 };

/** The status of an answer's head, which is its first field: by the static table, or as a literal that is not Huffman-coded. */
export function statusOf(block) {
  // The size of the dynamic table may be said before.
  const first = (block[0] & 0xe0) === 0x20 ? block.subarray(1) : block;
  if ((first[0] & 0x80) !== 0) return statusesByIndex[first[0] & 0x7f];
  return Number(first.toString('latin1', 2, 5));
}
