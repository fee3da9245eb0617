/** Bytes a message may have in either direction before the connection is given up (f 2). */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Longer names are legal by the grammar, but stock Go peers corrupt their buffer on very long ones. */
const MAX_NAME_BYTES = 255;
export const NO_BYTES = new Uint8Array(0);

export const encoder = new TextEncoder();
export const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Constants of the wire; `protocol.binary` and `protocol.text` are the two codecs. */
export const protocol = /** @type {import("../gotalk").Protocol} */ ({
  Version: 1,
  MsgTypeSingleReq: 0x72, // r
  MsgTypeStreamReq: 0x73, // s
  MsgTypeStreamReqPart: 0x70, // p
  MsgTypeSingleRes: 0x52, // R
  MsgTypeStreamRes: 0x53, // S
  MsgTypeErrorRes: 0x45, // E
  MsgTypeRetryRes: 0x65, // e
  MsgTypeNotification: 0x6e, // n
  MsgTypeHeartbeat: 0x68, // h
  MsgTypeProtocolError: 0x66, // f
  ErrorAbnormal: 0,
  ErrorUnsupported: 1,
  ErrorInvalidMsg: 2,
  ErrorTimeout: 3,
  HeartbeatMsgMaxLoad: 0xffff,
});

/** What stands between the type byte and the last 8 digits; `wait` is a number of hex digits. */
export const LAYOUTS = new Map([
  [protocol.MsgTypeSingleReq, { id: true, name: true, wait: 0 }],
  [protocol.MsgTypeStreamReq, { id: true, name: true, wait: 0 }],
  [protocol.MsgTypeStreamReqPart, { id: true, name: false, wait: 0 }],
  [protocol.MsgTypeSingleRes, { id: true, name: false, wait: 0 }],
  [protocol.MsgTypeStreamRes, { id: true, name: false, wait: 0 }],
  [protocol.MsgTypeErrorRes, { id: true, name: false, wait: 0 }],
  [protocol.MsgTypeRetryRes, { id: true, name: false, wait: 8 }],
  [protocol.MsgTypeNotification, { id: false, name: true, wait: 0 }],
  [protocol.MsgTypeHeartbeat, { id: false, name: false, wait: 4 }],
  [protocol.MsgTypeProtocolError, { id: false, name: false, wait: 0 }],
]);

export const FAULTS = ["abnormal end", "unsupported protocol version", "invalid protocol message", "timeout"];

/** The conversation itself is broken and the connection ends; `code` is one of `protocol.Error*`. */
export class ProtocolError extends Error {
  constructor(code, detail) {
    super(detail ? `${FAULTS[code]}: ${detail}` : FAULTS[code]);
    this.name = "ProtocolError";
    this.isGotalkProtocolError = /** @type {const} */ (true);
    this.code = code;
    this.closeCode = 4000 + code;
  }
}

export const invalid = (detail) => new ProtocolError(protocol.ErrorInvalidMsg, detail);

const sizeOf = (chunks) => chunks.reduce((size, chunk) => size + chunk.length, 0);

export function concat(chunks) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(sizeOf(chunks));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

const latin1 = (text) => Uint8Array.from([...text], (char) => char.charCodeAt(0));

/** The four bytes of an id as a string, one character a byte: usable as a key and echoed exactly. */
export const idKey = (id) => (typeof id === "string" ? id : String.fromCharCode(...id));

export function toBytes(payload) {
  if (payload === null || payload === undefined) return NO_BYTES;
  if (typeof payload === "string") return encoder.encode(payload);
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
  if (ArrayBuffer.isView(payload)) {
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  }
  throw new TypeError("a payload is a string, a Uint8Array or null");
}

/** Text stays text, for the text codec sends it as a text message. */
export const toPayload = (value) => (typeof value === "string" ? value : toBytes(value));

export const toText = (payload) => (typeof payload === "string" ? payload : decoder.decode(payload));

export function encodeName(name) {
  const bytes = encoder.encode(name);
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) {
    throw new RangeError(`a name has 1 to ${MAX_NAME_BYTES} bytes`);
  }
  return bytes;
}

export function fixnum(value, digits) {
  const text = value.toString(16).padStart(digits, "0");
  if (!Number.isInteger(value) || value < 0 || text.length > digits) {
    throw new RangeError(`${value} does not fit ${digits} hex digits`);
  }
  return text;
}

/** Reads strict hex, either case. Returns -1 while digits are missing, throws at anything else. */
export function readFixnum(bytes, at, digits) {
  let value = 0;
  for (let i = at; i < Math.min(at + digits, bytes.length); i++) {
    const byte = bytes[i];
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : byte >= 0x41 && byte <= 0x46
          ? byte - 0x37
          : byte >= 0x61 && byte <= 0x66
            ? byte - 0x57
            : -1;
    if (digit < 0) throw invalid("not a hex digit");
    value = value * 16 + digit;
  }
  return at + digits > bytes.length ? -1 : value;
}

function readName(bytes) {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    throw invalid("a name that is not UTF-8");
  }
}

/**
 * Reads one header. Returns null while bytes are missing, throws ProtocolError at what can never be one.
 * In a heartbeat `wait` is the load and `size` the Unix time; in a protocol error `size` is the code.
 */
export function readHeader(bytes, start) {
  const layout = LAYOUTS.get(bytes[start]);
  if (layout === undefined) throw invalid("unknown message type");
  /** @type {any} */
  const msg = { t: bytes[start], id: undefined, name: undefined, wait: 0, size: 0, end: 0 };
  let at = start + 1;
  if (layout.id) {
    if (bytes.length < at + 4) return null;
    msg.id = bytes.slice(at, at + 4);
    at += 4;
  }
  if (layout.name) {
    const length = readFixnum(bytes, at, 3);
    if (length === 0 || length > MAX_NAME_BYTES) throw invalid(`a name of ${length} bytes`);
    at += 3;
    if (length < 0 || bytes.length < at + length) return null;
    msg.name = readName(bytes.subarray(at, at + length));
    at += length;
  }
  if (layout.wait > 0) {
    msg.wait = readFixnum(bytes, at, layout.wait);
    at += layout.wait;
  }
  msg.size = readFixnum(bytes, at, 8);
  msg.end = at + 8;
  return msg.wait < 0 || msg.size < 0 ? null : msg;
}

/** The three parts of a header: ASCII (or id bytes), name, ASCII. Also takes (t, id, name, size). */
function headerParts(t, id, name, wait, size) {
  if (size === undefined) return headerParts(t, id, name, 0, wait);
  const layout = LAYOUTS.get(t);
  if (layout === undefined) throw new RangeError("unknown message type");
  if (layout.id && (!id || id.length !== 4)) throw new RangeError("an id has four bytes");
  const nameBytes = layout.name ? encodeName(name) : NO_BYTES;
  const nameSize = layout.name ? fixnum(nameBytes.length, 3) : "";
  const waitDigits = layout.wait > 0 ? fixnum(wait, layout.wait) : "";
  return [
    String.fromCharCode(t) + (layout.id ? idKey(id) : "") + nameSize,
    nameBytes,
    waitDigits + fixnum(size, 8),
  ];
}

const heartbeatTime = () => Math.round(Date.now() / 1000) % 0x100000000;

/** Headers as bytes. */
protocol.binary = {
  makeFixnum: (value, digits) => latin1(fixnum(value, digits)),
  versionBuf: latin1(fixnum(protocol.Version, 2)),
  parseVersion: (data) => readFixnum(data, 0, 2),
  parseMsg: (data) => readHeader(data, 0),
  makeMsg(t, id, name, wait, size) {
    const [before, nameBytes, after] = headerParts(t, id, name, wait, size);
    return concat([latin1(before), nameBytes, latin1(after)]);
  },
  makeHeartbeatMsg(load) {
    return this.makeMsg(protocol.MsgTypeHeartbeat, null, null, load, heartbeatTime());
  },
};

/** Headers as strings. A name ends where the size begins, for stock peers count its bytes wrongly. */
protocol.text = {
  makeFixnum: fixnum,
  versionBuf: fixnum(protocol.Version, 2),
  parseVersion: (data) => readFixnum(encoder.encode(data), 0, 2),
  parseMsg(data) {
    const layout = LAYOUTS.get(data.charCodeAt(0));
    if (layout === undefined) throw invalid("unknown message type");
    const start = layout.id ? 5 : 1;
    if (data.length < start + (layout.name ? 4 : layout.wait) + 8) return null;
    return {
      t: data.charCodeAt(0),
      id: layout.id ? data.slice(1, 5) : undefined,
      name: layout.name ? data.slice(start + 3, -8) : undefined,
      wait: layout.wait > 0 ? readFixnum(encoder.encode(data.slice(start)), 0, layout.wait) : 0,
      size: readFixnum(encoder.encode(data.slice(-8)), 0, 8),
    };
  },
  makeMsg(t, id, name, wait, size) {
    const [before, nameBytes, after] = headerParts(t, id, name, wait, size);
    return before + decoder.decode(nameBytes) + after;
  },
  makeHeartbeatMsg(load) {
    return this.makeMsg(protocol.MsgTypeHeartbeat, null, null, load, heartbeatTime());
  },
};

/**
 * Makes a Uint8Array of so many zero bytes, or around what is given.
 * @param {any} value
 */
export function Buf(value) {
  return value instanceof Uint8Array ? value : new Uint8Array(value);
}
/** @type {(value: unknown) => value is Uint8Array} */
Buf.isBuf = (value) => value instanceof Uint8Array;
Buf.fromString = (text) => encoder.encode(text);
