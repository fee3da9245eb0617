/*
 * gotalk v1 in the browser: requests, notifications and streams in both directions over one WebSocket.
 *
 * One classic script without dependencies. It defines `window.gotalk` with the API of the public gotalk.js
 * 1.2.1, so a page written for that file runs unchanged with this one, and speaks plain v1 to any server.
 * To a server that answers our `$hello` notification it offers more: joined frames, retries, structured
 * errors, cancellation, and streams in which a slow reader holds back the writer.
 *
 * Layers, each knowing only the ones above it: the codec and `Reader` are pure (no socket, no clock);
 * `Outflow`, `Meter` and `Parts` are the two directions of a stream, at either end of it; `Link` is one
 * WebSocket from its opening to its end; an `Answer` is a request of the other side, a `Call` one of ours;
 * `Socket` is what the page holds, and outlives its links; `KeepAlive` decides when the socket opens the
 * next one.
 */
(function (global) {
  "use strict";

  /**
   * What the page sees, as gotalk.d.ts declares it.
   * @typedef {import("./gotalk").ConnectionError} TypedConnectionError
   * @typedef {import("./gotalk").ErrorDetails} TypedErrorDetails
   * @typedef {import("./gotalk").Handlers} TypedHandlers
   * @typedef {import("./gotalk").HandlersConstructor} TypedHandlersConstructor
   * @typedef {import("./gotalk").KeepAlive} TypedKeepAlive
   * @typedef {import("./gotalk").Parts} TypedParts
   * @typedef {import("./gotalk").Protocol} TypedProtocol
   * @typedef {import("./gotalk").RequestOptions} TypedRequestOptions
   * @typedef {import("./gotalk").SockConstructor} TypedSockConstructor
   * @typedef {import("./gotalk").Socket} TypedSocket
   * @typedef {import("./gotalk").Stream} TypedStream
   * @typedef {import("./gotalk").StreamOptions} TypedStreamOptions
   * @typedef {import("./gotalk").StreamRequest} TypedStreamRequest
   * @typedef {import("./gotalk").StreamRequestConstructor} TypedStreamRequestConstructor
   */

  // ---- Codec ---------------------------------------------------------------------------------------------

  /** Bytes a message may have in either direction before the connection is given up (f 2). */
  const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
  /** Longer names are legal by the grammar, but stock Go peers corrupt their buffer on very long ones. */
  const MAX_NAME_BYTES = 255;
  const NO_BYTES = new Uint8Array(0);

  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

  /** Constants of the wire; `protocol.binary` and `protocol.text` are the two codecs. */
  const protocol = /** @type {TypedProtocol} */ ({
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
  const LAYOUTS = new Map([
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

  const FAULTS = ["abnormal end", "unsupported protocol version", "invalid protocol message", "timeout"];

  /** The conversation itself is broken and the connection ends; `code` is one of `protocol.Error*`. */
  class ProtocolError extends Error {
    constructor(code, detail) {
      super(detail ? `${FAULTS[code]}: ${detail}` : FAULTS[code]);
      this.name = "ProtocolError";
      this.isGotalkProtocolError = /** @type {const} */ (true);
      this.code = code;
      this.closeCode = 4000 + code;
    }
  }

  const invalid = (detail) => new ProtocolError(protocol.ErrorInvalidMsg, detail);

  const sizeOf = (chunks) => chunks.reduce((size, chunk) => size + chunk.length, 0);

  function concat(chunks) {
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
  const idKey = (id) => (typeof id === "string" ? id : String.fromCharCode(...id));

  function toBytes(payload) {
    if (payload === null || payload === undefined) return NO_BYTES;
    if (typeof payload === "string") return encoder.encode(payload);
    if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
    if (ArrayBuffer.isView(payload)) {
      return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
    }
    throw new TypeError("a payload is a string, a Uint8Array or null");
  }

  /** Text stays text, for the text codec sends it as a text message. */
  const toPayload = (value) => (typeof value === "string" ? value : toBytes(value));

  const toText = (payload) => (typeof payload === "string" ? payload : decoder.decode(payload));

  function encodeName(name) {
    const bytes = encoder.encode(name);
    if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) {
      throw new RangeError(`a name has 1 to ${MAX_NAME_BYTES} bytes`);
    }
    return bytes;
  }

  function fixnum(value, digits) {
    const text = value.toString(16).padStart(digits, "0");
    if (!Number.isInteger(value) || value < 0 || text.length > digits) {
      throw new RangeError(`${value} does not fit ${digits} hex digits`);
    }
    return text;
  }

  /** Reads strict hex, either case. Returns -1 while digits are missing, throws at what is no digit. */
  function readFixnum(bytes, at, digits) {
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
  function readHeader(bytes, start) {
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
  function Buf(value) {
    return value instanceof Uint8Array ? value : new Uint8Array(value);
  }
  /** @type {(value: unknown) => value is Uint8Array} */
  Buf.isBuf = (value) => value instanceof Uint8Array;
  Buf.fromString = (text) => encoder.encode(text);

  /** Cuts WebSocket messages, however header and payload are laid out in them, into gotalk messages. */
  class Reader {
    /** The other side announced `joined`: what it sends is one stream of bytes. Until then a frame that ends
     * exactly at a header's end means that the next frame is the payload, whatever length was declared,
     * because stock peers count characters outside of the basic plane wrongly. */
    joined = false;
    versionSeen = false;
    #chunks = [];
    #have = 0;
    #need = 2;
    /** @type {any} */
    #header = null;
    #payloadIsNextFrame = false;

    /**
     * A generator, so that a message can change `joined` before the rest of its frame is read.
     * A payload is a string when the frame that ended it was text, else a Uint8Array of its own.
     * @throws {ProtocolError}
     */
    *feed(frame) {
      if (frame.length > MAX_MESSAGE_BYTES) throw invalid("message too large");
      const isText = typeof frame === "string";
      if (this.#payloadIsNextFrame && !this.joined) {
        this.#payloadIsNextFrame = false;
        this.#need = 1;
        yield { ...this.#takeHeader(), payload: frame };
        return;
      }
      this.#chunks.push(isText ? encoder.encode(frame) : frame);
      this.#have += this.#chunks[this.#chunks.length - 1].length;
      if (this.#have < this.#need) return;

      const bytes = concat(this.#chunks);
      let at = 0;
      if (!this.versionSeen) {
        this.#readVersion(bytes);
        at = 2;
      }
      while (at < bytes.length || this.#header !== null) {
        if (this.#header === null) {
          const header = readHeader(bytes, at);
          if (header === null) break;
          at = header.end;
          if (header.t === protocol.MsgTypeHeartbeat || header.t === protocol.MsgTypeProtocolError) {
            yield { ...header, payload: NO_BYTES };
            continue;
          }
          if (header.size > MAX_MESSAGE_BYTES) throw invalid("message too large");
          this.#header = header;
          this.#payloadIsNextFrame = at === bytes.length && header.size > 0;
        }
        const end = at + this.#header.size;
        if (end > bytes.length) break;
        const payload = isText ? decoder.decode(bytes.subarray(at, end)) : bytes.slice(at, end);
        at = end;
        yield { ...this.#takeHeader(), payload };
      }
      this.#chunks = at < bytes.length ? [bytes.subarray(at)] : [];
      this.#have = bytes.length - at;
      this.#need = this.#header === null ? 1 : this.#header.size;
    }

    #takeHeader() {
      const header = this.#header;
      this.#header = null;
      return header;
    }

    #readVersion(bytes) {
      let version = 0;
      try {
        version = readFixnum(bytes, 0, 2);
      } catch {
        // What is no version at all is answered like a version that we do not speak.
      }
      if (version !== protocol.Version) throw new ProtocolError(protocol.ErrorUnsupported);
      this.versionSeen = true;
    }
  }

  protocol.Reader = Reader;

  // ---- Events --------------------------------------------------------------------------------------------

  function warnDeveloper(...words) {
    if (gotalk.developmentMode) console.warn("[gotalk]", ...words);
  }

  function report(where, error) {
    console.error(`[gotalk] ${where}:`, error);
  }

  /** Runs code of the page, at once or to the end of its promise. */
  function guard(where, action, onFailure = (error) => report(where, error)) {
    try {
      const outcome = action();
      if (outcome && typeof outcome.then === "function") outcome.then(undefined, onFailure);
    } catch (error) {
      onFailure(error);
    }
  }

  const registries = new WeakMap();

  function listenersOf(emitter) {
    let registry = registries.get(emitter);
    if (registry === undefined) registries.set(emitter, (registry = new Map()));
    return registry;
  }

  /** Named events with any number of listeners, called in the order of their registration. */
  class EventEmitter {
    /** Gives any object the methods of an emitter. */
    static mixin(object) {
      for (const name of Object.getOwnPropertyNames(EventEmitter.prototype)) {
        if (name === "constructor" || name in object) continue;
        Object.defineProperty(object, name, {
          value: EventEmitter.prototype[name],
          configurable: true,
          writable: true,
        });
      }
      return object;
    }

    addListener(type, listener) {
      if (typeof listener !== "function") throw new TypeError("a listener is a function");
      const registry = listenersOf(this);
      registry.set(type, [...(registry.get(type) || []), listener]);
      return this;
    }

    on(type, listener) {
      return this.addListener(type, listener);
    }

    once(type, listener) {
      const fire = (...args) => {
        this.removeListener(type, fire);
        return listener.apply(this, args);
      };
      fire.listener = listener;
      return this.addListener(type, fire);
    }

    removeListener(type, listener) {
      const kept = this.listeners(type).filter((each) => each !== listener && each.listener !== listener);
      listenersOf(this).set(type, kept);
      return this;
    }

    off(type, listener) {
      return this.removeListener(type, listener);
    }

    removeListeners(type) {
      listenersOf(this).delete(type);
    }

    removeAllListeners(type) {
      if (type === undefined) registries.delete(this);
      else this.removeListeners(type);
    }

    listeners(type) {
      return listenersOf(this).get(type) || [];
    }

    /** Calls the listeners; one that fails does not hold the others. Returns whether there were any. */
    emit(type, ...args) {
      const listeners = this.listeners(type);
      for (const listener of listeners) guard(`listener of "${type}"`, () => listener.apply(this, args));
      return listeners.length > 0;
    }
  }

  // ---- Errors --------------------------------------------------------------------------------------------

  /**
   * A request or a stream failed. `code` is a word: the peer's own, or "timeout", "closed", "cancelled",
   * "unsupported"; `field` names the parameter that is wrong, `retryAfterMs` says when the same request may
   * succeed. Each may be undefined. A handler that throws one tells the other side just these.
   */
  class RequestError extends Error {
    /** @param {TypedErrorDetails} [details] */
    constructor(message, details = {}) {
      const { code, field, retryAfterMs } = details;
      super(message);
      this.name = "RequestError";
      this.code = code;
      this.field = field;
      this.retryAfterMs = retryAfterMs;
    }
  }

  const notConnected = () => new RequestError("socket is closed", { code: "closed" });
  /** What is lost with a connection; `error` is null for a normal end. */
  const connectionClosed = (error) =>
    new RequestError(error ? error.message : "connection closed", { code: "closed" });
  const cancelled = () => new RequestError("cancelled", { code: "cancelled" });
  const timedOut = () => new RequestError("timed out", { code: "timeout" });
  const unsupported = () => new RequestError("the other side has no streams", { code: "unsupported" });

  // ---- Handlers ------------------------------------------------------------------------------------------

  /** Undefined when it is not JSON. */
  function parseJSON(payload) {
    try {
      return JSON.parse(toText(payload));
    } catch {
      return undefined;
    }
  }

  /** Empty is null; what is not JSON is undefined, as in the stock file. */
  function decodeJSON(payload) {
    if (payload.length === 0) return null;
    const value = parseJSON(payload);
    if (value === undefined) warnDeveloper("ignoring invalid JSON", payload);
    return value;
  }

  /**
   * How values become the parts of a stream, and parts values.
   * @typedef {{ encode(value: any): string | Uint8Array, decode(part: string | Uint8Array): any }} PartCodec
   */

  /** @type {PartCodec} */
  const JSON_PARTS = {
    encode: (value) => JSON.stringify(value) ?? "null",
    decode(part) {
      const value = part.length === 0 ? null : parseJSON(part);
      if (value === undefined) throw new RequestError("a part is not JSON", { code: "bad_params" });
      return value;
    },
  };

  /** @type {PartCodec} */
  const RAW_PARTS = { encode: toPayload, decode: toBytes };

  /**
   * What this side answers. Maps, so that no name can reach a property of Object.prototype.
   * @implements {TypedHandlers}
   */
  class HandlerSet {
    /** A function answers a request, `{ handler, codec }` a stream; an operation is one of the two. */
    #operations = new Map();
    #notifications = new Map();

    /** Handles operation `op` with a raw payload; the empty `op` is the fallback for unknown ones. */
    handleBufferRequest(op, handler) {
      this.#operations.set(op || "", handler);
    }

    /** Handles operation `op`: `handler(value, result, op)` calls `result(value)` or `result.error(why)`. */
    handleRequest(op, handler) {
      this.handleBufferRequest(op, (payload, result, name) => {
        const answer = (value) => result(JSON.stringify(value));
        answer.error = result.error;
        answer.signal = result.signal;
        return handler(decodeJSON(payload), answer, name);
      });
    }

    /** Like `handleStream`, with Uint8Array parts. */
    handleBufferStream(op, handler) {
      this.#operations.set(op || "", { handler, codec: RAW_PARTS });
    }

    /**
     * Handles stream operation `op`: `handler(parts, op)` iterates over the values that come in. As an async
     * generator it yields the parts of the result, as any other function it returns the only one.
     */
    handleStream(op, handler) {
      this.#operations.set(op || "", { handler, codec: JSON_PARTS });
    }

    /** Handles notification `name` with a raw payload; the empty `name` is the fallback for unknown ones. */
    handleBufferNotification(name, handler) {
      this.#notifications.set(name || "", handler);
    }

    /** Handles notification `name`: `handler(value, name)`. */
    handleNotification(name, handler) {
      this.handleBufferNotification(name, (payload, given) => handler(decodeJSON(payload), given));
    }

    findRequestHandler(op) {
      const found = this.#find(op);
      return typeof found === "function" ? found : null;
    }

    /** Null or `{ handler, codec }`. */
    findStreamHandler(op) {
      const found = this.#find(op);
      return typeof found === "object" ? found : null;
    }

    findNotificationHandler(name) {
      return this.#notifications.get(name) || this.#notifications.get("") || null;
    }

    #find(op) {
      return this.#operations.get(op) || this.#operations.get("") || null;
    }
  }

  function Handlers() {
    return new HandlerSet();
  }
  Handlers.prototype = HandlerSet.prototype;

  // ---- Streams: their two directions ---------------------------------------------------------------------

  /** Cost of the parts that an end may send before we grant more; told in our `$hello`. */
  const WINDOW = 16;
  /** The same for an end without flow control, beyond which we keep no more parts for a slow reader. */
  const UNMETERED_WINDOW = 1024;
  /** How often to look whether the WebSocket has sent what waits in it: there is no event for that. */
  const ROOM_POLL_MS = 20;

  /** A part costs 1, and 1 more for each full 64 KiB. */
  const costOf = (part) => 1 + (toBytes(part).length >> 16);

  /**
   * @typedef {object} Carrier one end of one stream
   * @property {string | Uint8Array} id
   * @property {any} link the connection that carries it
   * @property {() => void} moved hears that a part was sent, or taken by its reader
   */

  /** Parts on their way out: in order, as the other side's credit and the socket's buffer allow. */
  class Outflow {
    carrier;
    #waiting = [];
    #spent = 0;
    #granted = 0;
    #timer;
    isStopped = false;
    #hasEnd = false;
    #error = null;

    /** @param {Carrier} carrier its link is null while messages may wait for a connection */
    constructor(carrier) {
      this.carrier = carrier;
    }

    /** Whether there can be no further part. */
    get ended() {
      return this.#hasEnd || this.isStopped;
    }

    /** Resolves when the part has left or is not wanted any more; rejects when all has failed. */
    write(part) {
      if (part.length === 0) throw new RangeError("an empty part would end the stream");
      /** @type {Promise<void>} */
      const promise = new Promise((resolve, reject) => {
        if (this.#hasEnd) reject(new RequestError("written after the end", { code: "ended" }));
        else this.put(part, resolve, reject);
      });
      // Who does not wait for it hears of the failure where the result is read.
      promise.catch(() => {});
      return promise;
    }

    /** Puts a part in line; the empty one is the end. */
    put(part, resolve = () => {}, reject = (error) => {}) {
      this.#hasEnd ||= part.length === 0;
      this.#waiting.push({ part, cost: part.length === 0 ? 0 : costOf(part), resolve, reject });
      if (this.isStopped) this.stop(this.#error);
      else this.pump();
    }

    grant(credit) {
      this.#granted += credit;
      this.pump();
    }

    pump() {
      clearTimeout(this.#timer);
      while (this.#waiting.length > 0) {
        const { link } = this.carrier;
        const { part, cost, resolve } = this.#waiting[0];
        if (link !== null) {
          if (!link.writable || (cost > 0 && this.#spent >= link.window + this.#granted)) return;
          if (!link.hasRoom) {
            this.#timer = setTimeout(() => this.pump(), ROOM_POLL_MS);
            return;
          }
        }
        this.#waiting.shift();
        this.#spent += cost;
        this.transmit(part);
        this.carrier.moved();
        resolve();
      }
    }

    /** Nothing more leaves; `error` is null when the other side has what it wants. */
    stop(error) {
      clearTimeout(this.#timer);
      if (!this.isStopped) this.#error = error;
      this.isStopped = true;
      for (const { resolve, reject } of this.#waiting.splice(0)) {
        if (this.#error === null) resolve();
        else reject(this.#error);
      }
    }

    transmit(part) {
      const { link, id } = this.carrier;
      link.send(protocol.MsgTypeStreamRes, id, null, 0, part);
    }
  }

  /** The parts of a request: the first goes in the message that opens the stream. */
  class RequestOutflow extends Outflow {
    isOpen = false;
    #hasSentEnd = false;
    #op;
    #send;

    /** `send` takes what `Socket.sendMsg` takes. */
    constructor(carrier, op, send) {
      super(carrier);
      this.#op = op;
      this.#send = send;
    }

    /** For a request that has no part yet: in `s` a size of 0 is no end. */
    open() {
      if (!this.isOpen) this.#opening(NO_BYTES);
    }

    /** Ends the request, whatever still waits. */
    hangUp() {
      if (this.isOpen && !this.#hasSentEnd) this.transmit(NO_BYTES);
    }

    transmit(part) {
      if (part.length === 0) {
        this.open();
        this.#hasSentEnd = true;
      }
      if (this.isOpen) this.#send(protocol.MsgTypeStreamReqPart, this.carrier.id, null, 0, part);
      else this.#opening(part);
    }

    #opening(part) {
      this.isOpen = true;
      this.#send(protocol.MsgTypeStreamReq, this.carrier.id, this.#op, 0, part);
    }
  }

  /** Counts the cost of arriving parts, and grants it back in lots as they are consumed. */
  class Meter {
    #carrier;
    #of;
    #held = 0;
    #consumed = 0;

    /**
     * @param {Carrier} carrier
     * @param {"p" | "S"} of which parts they are: those of the request or those of the result
     */
    constructor(carrier, of) {
      this.#carrier = carrier;
      this.#of = of;
    }

    /** Returns what the part costs. @throws {RequestError} the other side does not heed our window */
    arrived(part) {
      const limit = this.#carrier.link.features.has("flow") ? 2 * WINDOW : UNMETERED_WINDOW;
      if (this.#held >= limit) throw new RequestError("too many parts at one time", { code: "too_fast" });
      const cost = costOf(part);
      this.#held += cost;
      return cost;
    }

    consumed(cost) {
      this.#consumed += cost;
      if (this.#consumed < WINDOW / 2) return;
      this.#carrier.link.grant(this.#carrier.id, this.#of, this.#consumed);
      this.#held -= this.#consumed;
      this.#consumed = 0;
    }
  }

  /**
   * Parts that have arrived, until their one reader iterates over them.
   * @implements {TypedParts}
   */
  class Parts {
    /** For handlers: aborted when nobody waits for the result any more. */
    signal;
    #carrier;
    #meter;
    #decode;
    #onLeave;
    #queue = [];
    #readers = [];
    #isOver = false;
    #error = null;

    /** `onLeave` hears that the reader left its loop before the end. */
    constructor(carrier, of, decode, onLeave = () => {}) {
      this.#carrier = carrier;
      this.#meter = new Meter(carrier, of);
      this.#decode = decode;
      this.#onLeave = onLeave;
    }

    /** Takes a part, the empty one as the end. @throws {RequestError} what its sender did wrong */
    receive(part) {
      if (part.length === 0) this.finish(null);
      else if (!this.#isOver) this.#add(part, this.#meter.arrived(part));
    }

    /** Takes the result of an operation that does not answer in parts. */
    receiveOnly(payload) {
      if (!this.#isOver) this.#add(payload, 0);
      this.finish(null);
    }

    /** What has arrived can still be read; then comes the end, or the error. */
    finish(error) {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#error = error;
      this.#hand();
    }

    /** Ends without what has arrived. */
    drop(error) {
      this.#queue = [];
      this.finish(error);
    }

    /** @returns {Promise<IteratorResult<any, void>>} */
    next() {
      return new Promise((resolve, reject) => {
        this.#readers.push({ resolve, reject });
        this.#hand();
      });
    }

    /** @returns {Promise<IteratorReturnResult<void>>} */
    return() {
      if (!this.#isOver) this.#onLeave();
      this.drop(null);
      return Promise.resolve({ value: undefined, done: true });
    }

    [Symbol.asyncIterator]() {
      return this;
    }

    #add(part, cost) {
      this.#queue.push({ value: this.#decode(part), cost });
      this.#hand();
    }

    #hand() {
      while (this.#readers.length > 0 && (this.#queue.length > 0 || this.#isOver)) {
        const { resolve, reject } = this.#readers.shift();
        if (this.#queue.length > 0) {
          const { value, cost } = this.#queue.shift();
          resolve({ value, done: false });
          if (!this.#isOver) this.#meter.consumed(cost);
          this.#carrier.moved();
        } else if (this.#error !== null) {
          reject(this.#error);
        } else {
          resolve({ value: undefined, done: true });
        }
      }
    }
  }

  /** Calls `expire` when it was not touched for so many milliseconds; 0 waits for ever. */
  class IdleTimer {
    #ms;
    #expire;
    #timer;

    constructor(ms, expire) {
      this.#ms = ms;
      this.#expire = expire;
    }

    touch(ms = this.#ms) {
      clearTimeout(this.#timer);
      if (ms > 0) this.#timer = setTimeout(this.#expire, ms);
    }

    stop() {
      this.#ms = 0;
      this.touch();
    }
  }

  // ---- Link: one WebSocket from its opening to its end ---------------------------------------------------

  const WS_OPEN = 1;
  /** A timer this late means that the machine or the page was suspended. */
  const SLEEP_MS = 5000;
  /** What may wait in the WebSocket before streams are held back; other messages always go in at once. */
  const MAX_BUFFERED_BYTES = 1024 * 1024;
  const HELLO = JSON.stringify({
    agent: "hubtalk/0.1",
    features: ["joined", "retry", "errors", "cancel", "streams", "flow"],
    window: WINDOW,
  });
  /** RFC 6455 §7.4.1 and the IANA registry, as far as a browser may see them; then our own. */
  const CLOSE_NAMES = new Map([
    [1001, "the server goes away"],
    [1002, "WebSocket protocol error"],
    [1006, "no connection"],
    [1008, "against the server's policy"],
    [1009, "message too big"],
    [1011, "server error"],
    [1012, "the server restarts"],
    [1013, "try again later"],
    [4503, "the server restarts"],
  ]);

  /**
   * The error of a WebSocket close event; null for a normal end.
   * @returns {TypedConnectionError | null}
   */
  function closeError(event, what = "connection closed") {
    if (event.code === 1000) return null;
    if (event.code >= 4000 && event.code < 4000 + FAULTS.length) return new ProtocolError(event.code - 4000);
    const name = event.reason || CLOSE_NAMES.get(event.code);
    const error = new Error(name ? `${what}: ${name} (${event.code})` : `${what} (${event.code})`);
    return Object.assign(error, { closeCode: event.code, reason: event.reason || "" });
  }

  class Link {
    /** Whether the other side's `$hello` has come. */
    introduced = false;
    /** What it announced. */
    features = new Set();
    /** Cost of the parts of one direction of a stream that the other side takes before it grants more. */
    window = Infinity;
    /** Requests of the other side that wait for our answer: id key → `Answer`. */
    incoming = new Map();
    /** Whether our version was sent, and so messages may follow. */
    #greeted = false;
    #alive = true;
    #sock;
    #ws;
    #hooks;
    #reader = new Reader();
    /**
     * Frames that came before `startReading`; null from then on.
     * @type {any[] | null}
     */
    #backlog = [];
    #lastSeen = Date.now();
    #peerBeats = false;
    #watchTimer;
    #beatTimer;

    /**
     * `hooks`: `message(link, msg)` for all but h and f, `introduced(link)` when the other side has said what
     * it can, `granted(link, key, credit)` for the parts of request `key`, `closed(link, error)` at the end.
     */
    constructor(sock, ws, hooks) {
      this.#sock = sock;
      this.#ws = ws;
      this.#hooks = hooks;
      ws.binaryType = "arraybuffer";
      ws.onerror = null;
      ws.onmessage = (event) => this.#receive(event.data);
      ws.onclose = (event) => this.#finish(closeError(event));
    }

    get writable() {
      return this.#greeted && this.#alive && this.#ws.readyState === WS_OPEN;
    }

    /** Whether the network keeps up with what is sent. */
    get hasRoom() {
      return !(this.#ws.bufferedAmount >= MAX_BUFFERED_BYTES);
    }

    handshake() {
      this.#ws.send(this.#sock.protocol.versionBuf);
      this.#greeted = true;
      this.send(protocol.MsgTypeNotification, null, "$hello", 0, HELLO);
    }

    startReading() {
      if (!this.#alive || this.#backlog === null) return;
      const frames = this.#backlog;
      this.#backlog = null;
      this.#lastSeen = Date.now();
      this.#watch(this.#sock.livenessTimeout);
      this.#beat();
      for (const frame of frames) this.#receive(frame);
    }

    /** Sends one message: header and payload apart, as stock peers need it, or in one frame to others. */
    send(t, id, name, wait, payload) {
      const codec = this.#codecFor(id);
      const bytes = toBytes(payload);
      const header = codec.makeMsg(t, id, name, wait, bytes.length);
      if (bytes.length === 0) {
        this.#ws.send(header);
      } else if (typeof header === "string") {
        this.#ws.send(header);
        this.#ws.send(typeof payload === "string" ? payload : bytes);
      } else if (this.features.has("joined")) {
        this.#ws.send(concat([header, bytes]));
      } else {
        this.#ws.send(header);
        this.#ws.send(bytes);
      }
    }

    /** Answers E, or e to who understands it; plain text to stock peers, which show it as it is. */
    sendError(id, error) {
      const { message = String(error), code = "failed", field, retryAfterMs } = Object(error);
      const isLater = Number.isInteger(retryAfterMs) && retryAfterMs >= 0 && retryAfterMs <= 0xffffffff;
      const canRetry = isLater && this.features.has("retry");
      const text = isLater && !canRetry ? `${message}, retry after ${retryAfterMs} ms` : message;
      const delay = isLater ? { retry_after_ms: retryAfterMs } : {};
      const told = { error: text, code: String(code), field, ...delay };
      const payload = this.features.has("errors") ? JSON.stringify(told) : text;
      const type = canRetry ? protocol.MsgTypeRetryRes : protocol.MsgTypeErrorRes;
      this.send(type, id, null, canRetry ? retryAfterMs : 0, payload);
    }

    /** Grants credit for the parts of the request ("p") or of the result ("S") `id`. */
    grant(id, of, credit) {
      if (this.writable && this.features.has("flow")) this.#tell("$more", id, { of, credit });
    }

    /** Tells that nobody waits for the answer any more. Returns whether the other side understands that. */
    cancel(id) {
      const canCancel = this.writable && this.features.has("cancel");
      if (canCancel) this.#tell("$cancel", id);
      return canCancel;
    }

    #tell(name, id, params) {
      const hex = [...idKey(id)].map((char) => fixnum(char.charCodeAt(0), 2)).join("");
      this.send(protocol.MsgTypeNotification, null, name, 0, JSON.stringify({ id: hex, ...params }));
    }

    sendHeartbeat(load) {
      const units = Math.round(Math.min(Math.max(load, 0), 1) * protocol.HeartbeatMsgMaxLoad);
      this.#ws.send(this.#sock.protocol.makeHeartbeatMsg(units));
    }

    /** Ends the connection normally; `closed` follows when the other side has answered. */
    close() {
      this.#ws.close(1000);
    }

    /** Ends it now, without waiting for a network that may be gone. */
    drop(error, closeCode = 1000) {
      if (!this.#alive) return;
      this.#ws.onmessage = this.#ws.onclose = null;
      this.#ws.close(closeCode);
      this.#finish(error);
    }

    /** Tells the other side what it broke, and ends. */
    #fail(error) {
      if (this.#ws.readyState === WS_OPEN) {
        this.#ws.send(this.#codecFor(null).makeMsg(protocol.MsgTypeProtocolError, null, null, 0, error.code));
      }
      this.drop(error, error.closeCode);
    }

    #finish(error) {
      this.#alive = false;
      clearTimeout(this.#watchTimer);
      clearTimeout(this.#beatTimer);
      const lost = connectionClosed(error);
      for (const answer of [...this.incoming.values()]) answer.abort(lost);
      this.#hooks.closed(this, error);
    }

    /** An id that is not ASCII cannot stand in a text frame. */
    #codecFor(id) {
      const chosen = this.#sock.protocol;
      if (chosen !== protocol.text || id === null) return chosen;
      return [...idKey(id)].every((char) => char < "\x80") ? chosen : protocol.binary;
    }

    #receive(data) {
      if (this.#backlog !== null) {
        this.#backlog.push(data);
        return;
      }
      this.#lastSeen = Date.now();
      try {
        for (const msg of this.#reader.feed(typeof data === "string" ? data : new Uint8Array(data))) {
          this.#dispatch(msg);
          if (!this.#alive) return;
        }
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.#fail(error);
      }
    }

    #dispatch(msg) {
      if (msg.t === protocol.MsgTypeHeartbeat) {
        this.#peerBeats = true;
        this.#sock.emit("heartbeat", { time: new Date(msg.size * 1000), load: msg.wait });
      } else if (msg.t === protocol.MsgTypeProtocolError) {
        const error = new ProtocolError(msg.size < FAULTS.length ? msg.size : protocol.ErrorInvalidMsg);
        this.drop(error, error.closeCode);
      } else if (msg.t === protocol.MsgTypeNotification && msg.name.startsWith("$")) {
        this.#control(msg);
      } else {
        this.#hooks.message(this, msg);
      }
    }

    /** Names that begin with $ are the protocol's own; unknown ones are ignored. */
    #control(msg) {
      const params = parseJSON(msg.payload);
      if (msg.name === "$hello" && params && Array.isArray(params.features)) {
        this.#introduce(params);
      } else if (params && /^[0-9a-f]{8}$/i.test(params.id)) {
        const key = idKey(params.id.match(/../g).map((pair) => parseInt(pair, 16)));
        const answer = this.incoming.get(key);
        if (msg.name === "$cancel" && answer !== undefined) {
          answer.abort(cancelled());
        } else if (msg.name === "$more" && Number.isInteger(params.credit) && params.credit > 0) {
          if (params.of === "p") this.#hooks.granted(this, key, params.credit);
          else if (params.of === "S" && answer !== undefined) answer.grant(params.credit);
        }
      }
    }

    #introduce({ features, window }) {
      this.features = new Set(features);
      const isWindow = Number.isInteger(window) && window > 0;
      this.window = this.features.has("flow") ? (isWindow ? window : WINDOW) : Infinity;
      this.#reader.joined = this.features.has("joined");
      this.#peerBeats = true;
      this.introduced = true;
      this.#hooks.introduced(this);
    }

    #beat() {
      if (!(this.#sock.heartbeatInterval > 0)) return;
      this.#beatTimer = setTimeout(
        () => {
          if (this.writable) this.sendHeartbeat(0);
          this.#beat();
        },
        Math.max(this.#sock.heartbeatInterval, 10),
      );
    }

    /**
     * Gives up a silent connection. Only a peer that has said nothing yet, or that is known to send
     * heartbeats, is expected to be heard: stock Go servers send none.
     */
    #watch(delay) {
      const due = Date.now() + delay;
      this.#watchTimer = setTimeout(() => {
        const now = Date.now();
        const limit = this.#sock.livenessTimeout;
        const silence = now - this.#lastSeen;
        if (silence < limit) {
          this.#watch(limit - silence);
        } else if (this.#reader.versionSeen && !this.#peerBeats) {
          this.#watch(limit);
        } else if (now - due > SLEEP_MS) {
          // The page slept; what arrived meanwhile is delivered after this timer.
          this.#watch(SLEEP_MS);
        } else {
          this.#fail(new ProtocolError(protocol.ErrorTimeout));
        }
      }, delay);
    }
  }

  // ---- Answer: one request of the other side -------------------------------------------------------------

  /** Waits until its handler, the other side or the end of the connection ends it: only the first counts. */
  class Answer {
    id;
    link;
    #key;
    #controller = new AbortController();

    constructor(link, id) {
      this.link = link;
      this.id = id;
      this.#key = idKey(id);
      link.incoming.set(this.#key, this);
    }

    /** Aborted when nobody waits for the answer any more. */
    get signal() {
      return this.#controller.signal;
    }

    /** Whether it waits. Another request may bear its id by now. */
    get isOpen() {
      return this.link.incoming.get(this.#key) === this;
    }

    result(payload) {
      this.settle(null, () => this.link.send(protocol.MsgTypeSingleRes, this.id, null, 0, payload));
    }

    fail(error) {
      this.settle(error, () => this.link.sendError(this.id, error));
    }

    /** Ends it in the midst of its handler. */
    abort(error) {
      this.fail(error);
      this.#controller.abort(error);
    }

    /** Answers with what the handler has thrown: what has a `code` is for the other side, the rest for us. */
    failed(op, error) {
      if (this.signal.aborted && error === this.signal.reason) return;
      if (typeof Object(error).code === "string") {
        this.fail(error);
      } else {
        report(`handler of "${op}"`, error);
        this.fail(new RequestError("internal error", { code: "internal" }));
      }
    }

    /** `error` is what the handler hears of it, if it goes on. */
    settle(error, send) {
      if (!this.isOpen) return;
      this.link.incoming.delete(this.#key);
      if (this.link.writable) send();
    }

    // A plain request has no parts: those that come, or are granted, are ignored.
    receive(part) {}
    grant(credit) {}
  }

  /** What a handler answers with: `result(payload)` or `result.error(error)`. */
  function makeResult(answer) {
    const result = (payload) => answer.result(toPayload(payload));
    result.error = (error) => answer.fail(error);
    result.signal = answer.signal;
    return result;
  }

  /** A stream of the other side. */
  class StreamAnswer extends Answer {
    #codec;
    #outflow = new Outflow(this);
    #parts;
    #idle;

    constructor(link, id, codec, timeout) {
      super(link, id);
      this.#codec = codec;
      this.#parts = new Parts(this, "p", codec.decode);
      this.#parts.signal = this.signal;
      this.#idle = new IdleTimer(timeout, () => this.abort(timedOut()));
      this.#idle.touch();
    }

    receive(part) {
      this.moved();
      try {
        this.#parts.receive(part);
      } catch (error) {
        this.abort(error);
      }
    }

    grant(credit) {
      this.#outflow.grant(credit);
    }

    moved() {
      this.#idle.touch();
    }

    async run(handler, op) {
      try {
        const outcome = handler(this.#parts, op);
        if (Symbol.asyncIterator in Object(outcome)) {
          for await (const value of outcome) await this.#outflow.write(this.#codec.encode(value));
          this.settle(null, () => this.#outflow.transmit(NO_BYTES));
        } else {
          this.result(this.#codec.encode(await outcome));
        }
      } catch (error) {
        this.failed(op, error);
      }
    }

    settle(error, send) {
      super.settle(error, send);
      this.#idle.stop();
      this.#outflow.stop(error);
      this.#parts.drop(error);
    }
  }

  // ---- Call: one request of ours -------------------------------------------------------------------------

  /** Waits of a peer below this would be a hot loop. */
  const MIN_RETRY_MS = 250;
  /** How long the other side may take to say what it can: it does so first of all. */
  const HELLO_MS = 5000;

  /** The error that an E or e message tells. */
  function readError(link, msg) {
    const text = toText(msg.payload);
    const wait = msg.t === protocol.MsgTypeRetryRes ? msg.wait : undefined;
    const told = link.features.has("errors") ? Object(parseJSON(msg.payload)) : {};
    const { error = text, code, field, retry_after_ms: retryAfterMs = wait } = told;
    return new RequestError(String(error), { code, field, retryAfterMs });
  }

  /** What waits for an answer. `desk` is what the socket does for it. */
  class Call {
    /** Given by `desk.register`. */
    id = "";
    /**
     * The connection that carries it; null until it is sent.
     * @type {any}
     */
    link = null;
    desk;
    #signal;
    #abort = () => this.giveUp(this.#signal.reason || new RequestError("aborted", { code: "aborted" }));

    constructor(desk) {
      this.desk = desk;
      desk.register(this);
    }

    /** Returns false when `signal` has fired already, and so the call is over. */
    heed(signal) {
      this.#signal = signal;
      if (signal && signal.aborted) {
        this.#abort();
        return false;
      }
      if (signal) signal.addEventListener("abort", this.#abort);
      return true;
    }

    /** Nothing of it happens any more. */
    settle() {
      if (this.#signal) this.#signal.removeEventListener("abort", this.#abort);
      this.desk.forget(this);
    }

    giveUp(error) {
      if (this.link !== null) this.link.cancel(this.id);
      this.lost(error);
    }

    /** Takes a message that bears its id. */
    answer(link, msg) {}
    /** There will be no answer; `error` is why, or null. */
    lost(error) {}
    /** The other side has said what it can. */
    introduced(link) {}
    /** More parts of the request may leave. */
    grant(credit) {}
    moved() {}
  }

  /** One request until its promise settles. */
  class RequestCall extends Call {
    promise;
    #resolve;
    #reject;
    #op;
    #payload;
    #deadline;
    #retriesLeft;
    #timer;
    #retryTimer;
    #parts = [];
    #size = 0;
    #meter;

    /** @param {Required<Omit<TypedRequestOptions, "signal">> & { signal?: AbortSignal }} options */
    constructor(desk, op, payload, options) {
      const { timeout, retries, signal } = options;
      super(desk);
      this.promise = new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
      this.#op = op;
      this.#payload = payload;
      this.#retriesLeft = retries;
      this.#deadline = timeout > 0 ? Date.now() + timeout : Infinity;
      if (!this.heed(signal)) return;
      if (timeout > 0) this.#timer = setTimeout(() => this.giveUp(timedOut()), timeout);
      this.#send();
    }

    answer(link, msg) {
      if (msg.t === protocol.MsgTypeErrorRes) this.lost(readError(link, msg));
      else if (msg.t === protocol.MsgTypeRetryRes) this.#retry(readError(link, msg), msg.wait);
      else if (msg.t === protocol.MsgTypeStreamRes) this.#collect(msg.payload);
      else this.#succeed(msg.payload);
    }

    lost(error) {
      this.settle();
      this.#reject(error);
    }

    settle() {
      super.settle();
      clearTimeout(this.#timer);
      clearTimeout(this.#retryTimer);
    }

    #succeed(payload) {
      this.settle();
      this.#resolve(payload);
    }

    #send() {
      this.#parts = [];
      this.#size = 0;
      this.#meter = new Meter(this, "S");
      try {
        this.desk.send(protocol.MsgTypeSingleReq, this.id, this.#op, 0, this.#payload);
      } catch (error) {
        this.lost(error);
      }
    }

    /** The other side wishes it repeated later, under a new id. */
    #retry(error, wait) {
      const delay = Math.max(wait, MIN_RETRY_MS) * (1 + Math.random() / 2);
      if (this.#retriesLeft <= 0 || Date.now() + delay >= this.#deadline) {
        this.lost(error);
        return;
      }
      this.#retriesLeft--;
      this.link = null;
      this.desk.register(this);
      this.#retryTimer = setTimeout(() => this.#send(), delay);
    }

    /** The result comes in parts, of which the empty one is the last. */
    #collect(part) {
      if (part.length === 0) {
        this.#succeed(concat([NO_BYTES, ...this.#parts]));
        return;
      }
      const bytes = toBytes(part);
      this.#parts.push(bytes);
      this.#size += bytes.length;
      if (this.#size > MAX_MESSAGE_BYTES) {
        this.giveUp(new RequestError("result too large", { code: "too_large" }));
      } else {
        this.#meter.consumed(this.#meter.arrived(part));
      }
    }
  }

  /**
   * In the place of the connection until it is known what the other side can: nothing leaves.
   * @type {any}
   */
  const NO_LINK = { writable: false, cancel: () => false };

  /**
   * A request in parts whose result comes in parts, at the pace of the slower side. The page writes with
   * `write` and `end`, and iterates over the result; `cancel`, or leaving that loop, gives it up.
   * @implements {TypedStream}
   */
  class Stream extends Call {
    link = NO_LINK;
    #codec;
    #outflow;
    #parts;
    #idle;

    /** @param {TypedStreamOptions} options */
    constructor(desk, op, codec, options) {
      const { timeout, signal } = options;
      super(desk);
      this.#codec = codec;
      this.#outflow = new RequestOutflow(this, op, desk.send);
      this.#parts = new Parts(this, "S", codec.decode, () => this.cancel());
      this.#idle = new IdleTimer(timeout, () => this.giveUp(this.#silence()));
      if (!this.heed(signal)) return;
      const link = desk.link();
      this.#idle.touch(link === null ? desk.connectTimeout() : HELLO_MS);
      if (link !== null && link.introduced) this.introduced(link);
    }

    /** Whether no further part can be written. */
    get ended() {
      return this.#outflow.ended;
    }

    /** Resolves when the part has left; wait for it, and a slow reader slows the writer. */
    write(value) {
      return this.#outflow.write(this.#codec.encode(value));
    }

    /** Says that the last part was written. */
    end() {
      if (!this.ended) this.#outflow.put(NO_BYTES);
    }

    cancel(error = cancelled()) {
      this.giveUp(error);
    }

    [Symbol.asyncIterator]() {
      return this.#parts;
    }

    introduced(link) {
      if (this.link !== NO_LINK) return;
      if (!link.features.has("streams")) {
        this.lost(unsupported());
        return;
      }
      this.link = link;
      this.moved();
      this.#outflow.pump();
      // What the page writes at once goes in the message that opens the stream.
      queueMicrotask(() => {
        if (link.writable && !this.#outflow.isStopped) this.#outflow.open();
      });
    }

    answer(link, msg) {
      this.moved();
      try {
        if (msg.t === protocol.MsgTypeStreamRes) {
          this.#parts.receive(msg.payload);
          if (msg.payload.length === 0) this.lost(null);
        } else if (msg.t === protocol.MsgTypeSingleRes) {
          this.#parts.receiveOnly(msg.payload);
          this.lost(null);
        } else {
          this.lost(readError(link, msg));
        }
      } catch (error) {
        this.giveUp(error);
      }
    }

    giveUp(error) {
      if (this.#outflow.isStopped) return;
      if (this.#outflow.isOpen && !this.link.cancel(this.id)) this.#outflow.hangUp();
      this.#parts.drop(error);
      this.lost(error);
    }

    lost(error) {
      this.settle();
      this.#idle.stop();
      this.#outflow.stop(error);
      this.#parts.finish(error);
    }

    grant(credit) {
      this.#outflow.grant(credit);
    }

    moved() {
      this.#idle.touch();
    }

    #silence() {
      if (this.link !== NO_LINK) return timedOut();
      return this.desk.link() === null ? notConnected() : unsupported();
    }
  }

  /** What stands behind a `StreamRequest`, whose parts are events. */
  class EventCall extends Call {
    stream;
    #outflow;
    #meter = new Meter(this, "S");

    constructor(desk, op) {
      super(desk);
      this.#outflow = new RequestOutflow(this, op, desk.send);
      this.stream = new EventStream(op, this.id, this.#outflow);
    }

    answer(link, msg) {
      if (msg.t === protocol.MsgTypeErrorRes || msg.t === protocol.MsgTypeRetryRes) {
        this.lost(readError(link, msg));
        return;
      }
      if (msg.payload.length > 0) this.stream.emit("data", msg.payload);
      if (msg.t === protocol.MsgTypeSingleRes || msg.payload.length === 0) this.lost(null);
      else this.#meter.consumed(this.#meter.arrived(msg.payload));
    }

    lost(error) {
      this.settle();
      this.#outflow.stop(error);
      this.stream.finish(error);
    }

    grant(credit) {
      this.#outflow.grant(credit);
    }
  }

  /**
   * A request in parts. Emits "data" for each part of the result, then "end" and "close" (error or null).
   * @implements {TypedStreamRequest}
   */
  class EventStream extends EventEmitter {
    started = false;
    ended = false;
    #outflow;

    constructor(op, id, outflow) {
      super();
      this.op = op;
      this.id = id;
      this.#outflow = outflow;
    }

    /** Sends a part; an empty one or null ends the request. Does nothing once it has ended. */
    write(payload) {
      if (this.ended) return;
      const part = toPayload(payload);
      this.started = true;
      this.ended = part.length === 0;
      this.#outflow.put(part);
    }

    end() {
      this.write(null);
    }

    /** The result has ended, and with it the request: stock peers cannot bear parts that come later. */
    finish(error) {
      this.ended = true;
      this.emit("end", error);
      this.emit("close", error);
    }
  }

  /** The low-level form: on a socket, under an id of your own. */
  function StreamRequest(sock, op, id) {
    const carrier = { id, link: null, moved() {} };
    return new EventStream(op, id, new RequestOutflow(carrier, op, sock.sendMsg.bind(sock)));
  }
  StreamRequest.prototype = EventStream.prototype;

  // ---- Socket: what the page holds -----------------------------------------------------------------------

  /** Requests of the other side that may wait for the page's answer at one time. */
  const MAX_INCOMING = 1024;
  /** How many of them may be streams, and when to try again. */
  const MAX_INCOMING_STREAMS = 8;
  const STREAMS_RETRY_MS = 1000;

  /** Whether the developer was told once that the address may be wrong. */
  let wasHinted = false;

  /** @implements {TypedSocket} */
  class Socket extends EventEmitter {
    /**
     * The underlying WebSocket while connected.
     * @type {WebSocket | null}
     */
    ws = null;
    /**
     * Set by `openKeepAlive`.
     * @type {KeepAlive | null}
     */
    keepalive = null;
    /** Milliseconds between the heartbeats that we send; 0 sends none. */
    heartbeatInterval = 20000;
    /** Milliseconds of silence after which a peer that sends heartbeats (ours: every 10 s) counts as gone. */
    livenessTimeout = 25000;
    /** Milliseconds that opening a connection may take. */
    connectTimeout = 20000;
    /** Milliseconds until an unanswered request is rejected; 0 waits for ever. */
    requestTimeout = 30000;
    /** Milliseconds without a part in either direction after which a stream is given up; 0 waits for ever. */
    streamTimeout = 60000;
    /** How often a request is repeated when the other side asks for it. */
    retryLimit = 5;
    /** How many messages may wait for a connection; 0 refuses them at once. */
    sendBufferLimit = 100;
    /** @type {Link | null} */
    #link = null;
    /** @type {((error: Error) => void) | null} */
    #opening = null;
    #ending = false;
    #nextId = 0;
    /** Calls by their id. */
    #pending = new Map();
    #queue = [];
    #desk = {
      register: (call) => this.#register(call),
      forget: (call) => this.#forget(call),
      send: this.sendMsg.bind(this),
      link: () => this.#link,
      connectTimeout: () => this.connectTimeout,
    };

    constructor(handlers, proto) {
      super();
      this.handlers = handlers || gotalk.defaultHandlers;
      this.protocol = proto || protocol.binary;
    }

    /** What the other side announced in its `$hello`; empty for a stock peer. */
    get features() {
      return this.#link === null ? new Set() : new Set(this.#link.features);
    }

    /** The address of the present connection, or null. */
    address() {
      return this.ws === null ? null : this.ws.url;
    }

    /**
     * Connects once. `callback(error, socket)` hears how it went; then "open" is emitted.
     * @param {any} [addr] default: `gotalk.defaultResponderAddress`
     * @param {(error: Error|null, sock?: Socket) => void} [callback]
     */
    open(addr, callback) {
      const onOpened = callback || (typeof addr === "function" ? addr : () => {});
      const url = resolveAddress(typeof addr === "function" ? undefined : addr);
      this.#release();
      this.#connect(url, onOpened);
      return this;
    }

    /** Connects, and again whenever the connection is lost, until `end()`. */
    openKeepAlive(addr) {
      const url = resolveAddress(addr);
      this.#release();
      this.keepalive = new KeepAlive(this, (onOpened) => this.#connect(url, onOpened));
      this.keepalive.enable();
      return this;
    }

    /** Milliseconds until the next reconnect, once: for a server that says when it will be back. */
    reconnectIn(ms) {
      if (this.keepalive !== null) this.keepalive.reconnectIn(ms);
      return this;
    }

    /** Takes over an open WebSocket; `handshake()` and `startReading()` follow. */
    adopt(ws) {
      if (!ws || typeof ws.send !== "function") throw new Error("unsupported transport");
      if (ws.readyState !== WS_OPEN) throw new Error("this web socket is not open");
      if (this.#link !== null) this.#link.drop(null);
      this.ws = ws;
      this.#link = new Link(this, ws, {
        message: (link, msg) => this.#receive(link, msg),
        introduced: (link) => this.#introduced(link),
        granted: (link, id, credit) => this.#callOf(link, id)?.grant(credit),
        closed: (link, error) => this.#closed(link, error),
      });
    }

    adoptWebSocket(ws) {
      this.adopt(ws);
    }

    /** Sends our version and what we can do, then what waited for a connection. */
    handshake() {
      this.#present.handshake();
      for (const [t, id, name, wait, payload] of this.#queue.splice(0)) {
        this.#deliver(t, id, name, wait, payload);
      }
    }

    startReading() {
      this.#present.startReading();
    }

    /** Ends after the pending requests are answered; at once when called again. */
    end() {
      this.#stopOpening();
      if (this.#link === null) {
        this.#lose(() => true);
        this.#queue = [];
        return;
      }
      if (this.#ending || this.#pending.size === 0) this.#link.close();
      this.#ending = true;
    }

    /**
     * Asks for operation `op`; value and result are JSON.
     * @param {string} op
     * @param {*} [value]
     * @param {any} [callback] `callback(error, result)`, or a request's options
     * @returns {Promise<*>} rejects with an Error; with a callback it resolves to undefined instead
     */
    request(op, value, callback) {
      if (typeof value === "function" && callback === undefined) [value, callback] = [undefined, value];
      const payload = value === undefined ? null : JSON.stringify(value);
      const answer = this.#ask(op, payload, callback).then(decodeJSON);
      if (typeof callback !== "function") return answer;
      return answer.then(
        (result) => {
          guard(`callback of "${op}"`, () => callback(null, result));
          return result;
        },
        (error) => guard(`callback of "${op}"`, () => callback(error)),
      );
    }

    /** Asks for operation `op` with raw bytes or text. The result is a string if it came as text. */
    bufferRequest(op, payload, callback) {
      const answer = this.#ask(op, payload, callback);
      if (typeof callback === "function") {
        answer.then(
          (result) => guard(`callback of "${op}"`, () => callback(null, result)),
          (error) => guard(`callback of "${op}"`, () => callback(error)),
        );
      }
      return answer;
    }

    /** Older name of `request`. */
    requestp(op, value, options) {
      return this.request(op, value, options);
    }

    /** Older name of `bufferRequest`. */
    bufferRequestp(...args) {
      return this.bufferRequest(...args);
    }

    /**
     * Opens a stream of operation `op`; its parts, in both directions, are JSON values.
     * @param {string} op
     * @param {TypedStreamOptions & { buffer?: boolean }} [options] `buffer`: parts are bytes
     */
    stream(op, options = {}) {
      encodeName(op);
      const { timeout = this.streamTimeout, signal, buffer } = options;
      return new Stream(this.#desk, op, buffer ? RAW_PARTS : JSON_PARTS, { timeout, signal });
    }

    /** Opens a stream whose parts are Uint8Arrays. */
    bufferStream(op, options) {
      return this.stream(op, { ...options, buffer: true });
    }

    /** A request in parts with events; nothing is sent before its first `write`. */
    streamRequest(op) {
      return new EventCall(this.#desk, op).stream;
    }

    /** Tells `name` with a JSON value; never answered. Throws when it can be neither sent nor buffered. */
    notify(name, value) {
      this.bufferNotify(name, JSON.stringify(value));
    }

    bufferNotify(name, payload) {
      this.sendMsg(protocol.MsgTypeNotification, null, name, 0, payload);
    }

    /** Sends a heartbeat with a load between 0 (idle) and 1. */
    sendHeartbeat(load) {
      if (!this.#present.writable) throw notConnected();
      this.#present.sendHeartbeat(load);
    }

    /** Sends one message, or keeps it for the next connection. Throws when the buffer is full. */
    sendMsg(t, id, name, wait, payload) {
      if (LAYOUTS.get(t)?.name) encodeName(name);
      const body = toPayload(payload);
      if (this.#link !== null && this.#link.writable) {
        this.#deliver(t, id, name, wait, body);
      } else if (this.#queue.length < this.sendBufferLimit) {
        this.#queue.push([t, id, name, wait, body]);
      } else {
        throw notConnected();
      }
    }

    /** The connection that there must be. @throws {RequestError} */
    get #present() {
      if (this.#link === null) throw notConnected();
      return this.#link;
    }

    #deliver(t, id, name, wait, payload) {
      this.#present.send(t, id, name, wait, payload);
      const call = this.#pending.get(id);
      if (call !== undefined) call.link = this.#link;
    }

    #connect(url, onOpened) {
      const opened = (error, sock) => guard("callback of open", () => onOpened(error, sock));
      let ws;
      try {
        ws = new WebSocket(url);
      } catch (error) {
        warnDeveloper("cannot open", url, error);
        opened(error);
        this.emit("close", error);
        return;
      }
      const settle = () => {
        clearTimeout(timer);
        this.#opening = null;
        ws.onopen = ws.onclose = ws.onerror = null;
      };
      const fail = (error) => {
        settle();
        ws.close();
        opened(error);
      };
      const timer = setTimeout(() => fail(new Error("connection failed: timeout")), this.connectTimeout);
      this.#opening = fail;
      ws.onclose = (event) => {
        if (!wasHinted) warnDeveloper(`cannot connect to ${url}: is gotalk.defaultResponderAddress right?`);
        wasHinted = true;
        fail(closeError(event, "connection failed") || new Error("connection failed"));
      };
      ws.onopen = () => {
        settle();
        this.adopt(ws);
        const link = this.#present;
        this.handshake();
        opened(null, this);
        this.emit("open", this);
        link.startReading();
      };
    }

    /** Lets go of what there is, so that another connection can take its place. */
    #release() {
      this.#stopOpening();
      if (this.#link !== null) this.#link.drop(null);
    }

    #stopOpening() {
      if (this.keepalive !== null) this.keepalive.disable();
      this.keepalive = null;
      if (this.#opening !== null) this.#opening(new Error("connection closed"));
    }

    #introduced(link) {
      for (const call of [...this.#pending.values()]) call.introduced(link);
    }

    #closed(link, error) {
      const hasEnded = this.#ending;
      const { keepalive } = this;
      this.#link = null;
      this.ws = null;
      this.#ending = false;
      this.#lose((call) => hasEnded || call.link === link, error);
      this.emit("close", error);
      if (keepalive !== null && keepalive === this.keepalive) keepalive.lost(error);
    }

    #lose(isLost, error) {
      for (const call of [...this.#pending.values()].filter(isLost)) call.lost(connectionClosed(error));
    }

    /** Registers what waits for an answer under a new id. Ids go on over connections. */
    #register(call) {
      this.#pending.delete(call.id);
      do {
        call.id = this.#nextId.toString(36).padStart(4, "0");
        this.#nextId = (this.#nextId + 1) % 36 ** 4;
      } while (this.#pending.has(call.id));
      this.#pending.set(call.id, call);
    }

    /** The call that a message on `link` is about. */
    #callOf(link, id) {
      const call = this.#pending.get(id);
      return call !== undefined && call.link === link ? call : undefined;
    }

    /** Nothing of it is sent later: what was reported as failed must not happen afterwards. */
    #forget(call) {
      this.#pending.delete(call.id);
      this.#queue = this.#queue.filter((message) => message[1] !== call.id);
      if (this.#ending && this.#pending.size === 0) this.#present.close();
    }

    #ask(op, payload, given) {
      const { timeout = this.requestTimeout, retries = this.retryLimit, signal } = Object(given);
      return new RequestCall(this.#desk, op, payload, { timeout, retries, signal }).promise;
    }

    #receive(link, msg) {
      if (msg.t === protocol.MsgTypeSingleReq || msg.t === protocol.MsgTypeStreamReq) {
        this.#serve(link, msg);
      } else if (msg.t === protocol.MsgTypeStreamReqPart) {
        const answer = link.incoming.get(idKey(msg.id));
        if (answer !== undefined) answer.receive(msg.payload);
      } else if (msg.t === protocol.MsgTypeNotification) {
        const handler = this.handlers.findNotificationHandler(msg.name);
        if (handler) guard(`handler of "${msg.name}"`, () => handler(msg.payload, msg.name));
      } else {
        const call = this.#callOf(link, idKey(msg.id));
        if (call !== undefined) call.answer(link, msg);
      }
    }

    #serve(link, msg) {
      const handler = this.handlers.findRequestHandler(msg.name);
      const stream = this.handlers.findStreamHandler(msg.name);
      const refuse = (text, code, retryAfterMs) => {
        link.sendError(msg.id, new RequestError(text, { code, retryAfterMs }));
      };
      if (link.incoming.has(idKey(msg.id))) {
        refuse("a request with this id is being answered", "duplicate_id");
      } else if (link.incoming.size >= MAX_INCOMING) {
        refuse("too many requests at one time", "busy");
      } else if (stream !== null) {
        const isStream = (answer) => answer instanceof StreamAnswer;
        if ([...link.incoming.values()].filter(isStream).length >= MAX_INCOMING_STREAMS) {
          refuse("too many streams at one time", "too_many_streams", STREAMS_RETRY_MS);
        } else {
          this.#serveStream(link, msg, stream);
        }
      } else if (typeof handler !== "function") {
        refuse(`unknown operation "${msg.name}"`, "unknown_operation");
      } else if (msg.t === protocol.MsgTypeStreamReq) {
        refuse("not a stream operation", "not_a_stream");
      } else {
        const answer = new Answer(link, msg.id);
        guard(
          `handler of "${msg.name}"`,
          () => handler(msg.payload, makeResult(answer), msg.name),
          (error) => answer.failed(msg.name, error),
        );
      }
    }

    /** A single request is a stream of its one part, or of none. */
    #serveStream(link, msg, { handler, codec }) {
      const answer = new StreamAnswer(link, msg.id, codec, this.streamTimeout);
      if (msg.payload.length > 0) answer.receive(msg.payload);
      if (msg.t === protocol.MsgTypeSingleReq) answer.receive(NO_BYTES);
      if (answer.isOpen) answer.run(handler, msg.name);
    }
  }

  /** A socket; `handlers` defaults to `gotalk.defaultHandlers`, `proto` to `protocol.binary`. */
  function Sock(handlers, proto) {
    return new Socket(handlers, proto);
  }
  Sock.prototype = Socket.prototype;

  // ---- Keep-alive ----------------------------------------------------------------------------------------

  /** Full jitter: each wait is random below a ceiling that doubles from the first to the last of these. */
  const FIRST_CEILING_MS = 1000;
  const LAST_CEILING_MS = 10000;
  /** A connection that lasted so long was healthy: the ceiling starts anew. */
  const HEALTHY_MS = 60000;

  /**
   * Opens the next connection when one is lost. Emits "connecting" and "reconnecting" on the socket.
   * @implements {TypedKeepAlive}
   */
  class KeepAlive {
    isEnabled = false;
    isConnected = false;
    #sock;
    #connect;
    #attempt = 0;
    #openedAt = 0;
    /** @type {number | null} */
    #givenDelay = null;
    /** @type {any} */
    #timer = null;
    #online = () => {
      if (this.#timer !== null) this.#open();
    };

    /** `connect(callback)` makes one attempt. */
    constructor(sock, connect) {
      this.#sock = sock;
      this.#connect = connect;
    }

    enable() {
      if (this.isEnabled) return;
      this.isEnabled = true;
      if (global.addEventListener) global.addEventListener("online", this.#online);
      if (!this.isConnected) this.#open();
    }

    disable() {
      this.isEnabled = false;
      this.#stopTimer();
      if (global.removeEventListener) global.removeEventListener("online", this.#online);
    }

    reconnectIn(ms) {
      this.#givenDelay = Math.max(0, ms);
      if (this.#timer !== null) this.#schedule(null);
    }

    lost(error) {
      this.isConnected = false;
      if (Date.now() - this.#openedAt >= HEALTHY_MS) this.#attempt = 0;
      this.#retry(error);
    }

    #open() {
      this.#stopTimer();
      this.#sock.emit("connecting", { attempt: this.#attempt });
      this.#connect((error) => {
        if (error) {
          this.#retry(error);
          return;
        }
        this.isConnected = true;
        this.#openedAt = Date.now();
      });
    }

    #retry(error) {
      if (!this.isEnabled) return;
      this.#attempt++;
      this.#schedule(error);
    }

    #schedule(error) {
      const delayMs = this.#givenDelay === null ? Math.random() * this.#ceiling(error) : this.#givenDelay;
      this.#givenDelay = null;
      this.#stopTimer();
      this.#timer = setTimeout(() => this.#open(), delayMs);
      this.#sock.emit("reconnecting", { delayMs, attempt: this.#attempt, error });
    }

    /** Who was refused, and will be again, asks at the slowest pace; the page may `end()` instead. */
    #ceiling(error) {
      const closeCode = error ? error.closeCode : undefined;
      const wasRefused = (closeCode >= 4400 && closeCode < 4500) || closeCode === 4001 || closeCode === 4002;
      if (wasRefused) return LAST_CEILING_MS;
      return Math.min(FIRST_CEILING_MS * 2 ** (this.#attempt - 1), LAST_CEILING_MS);
    }

    #stopTimer() {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }

  // ---- Public --------------------------------------------------------------------------------------------

  /** Where this script came from; null when it was not loaded by a script element with an http address. */
  function findScript() {
    /** @type {any} */
    const script = typeof document === "object" && document !== null ? document.currentScript : null;
    const url = script && script.src ? new URL(script.src) : null;
    return url !== null && /^https?:$/.test(url.protocol) ? url : null;
  }

  const scriptUrl = findScript();

  function pageUrl() {
    return typeof location === "object" && location !== null ? new URL(location.href) : scriptUrl;
  }

  /** Accepts a whole ws(s) or http(s) address, //host/path, /path, and path, which starts at the host too. */
  function resolveAddress(addr) {
    const given = addr || gotalk.defaultResponderAddress;
    if (!given) throw new Error("no address: pass one or set gotalk.defaultResponderAddress");
    if (/^wss?:/i.test(given)) return given;
    const page = pageUrl();
    if (page === null) throw new Error(`"${given}" is no whole address, and there is no page to start from`);
    const url = new URL(given, page.origin);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  }

  function directoryOf(script) {
    if (script === null) return "";
    const isSecure = script.protocol === "https:" || (pageUrl() || script).protocol === "https:";
    return `${isSecure ? "wss" : "ws"}://${script.host}${script.pathname.replace(/[^/]*$/, "")}`;
  }

  const isLocal = (url) => url !== null && /^(localhost|127\.0\.0\.1|\[::1\]|.+\.local)$/.test(url.hostname);

  const gotalk = {
    /** The version of the public gotalk.js whose API this file offers. */
    version: "1.2.1",
    protocol,
    Buf,
    EventEmitter,
    RequestError,
    // The casts are for `new`, which functions that return their object bear too.
    Handlers: /** @type {TypedHandlersConstructor} */ (/** @type {any} */ (Handlers)),
    Sock: /** @type {TypedSockConstructor} */ (/** @type {any} */ (Sock)),
    StreamRequest: /** @type {TypedStreamRequestConstructor} */ (
      /** @type {any} */ (StreamRequest)
    ),
    /** Whether hints for developers go to the console. */
    developmentMode: isLocal(scriptUrl),
    /** The directory of this script, over WebSocket; empty if unknown. */
    defaultResponderAddress: directoryOf(scriptUrl),
    defaultHandlers: Handlers(),

    /** A new socket that stays connected until `end()`. */
    connection(addr, handlers, proto) {
      return Sock(handlers, proto).openKeepAlive(addr);
    },

    /** A new socket that connects once. */
    open(addr, callback, handlers, proto) {
      return Sock(handlers, proto).open(addr, callback);
    },

    /** The older name of `open`. */
    connect(addr, callback) {
      return gotalk.open(addr, callback);
    },

    // Each for `defaultHandlers`, as it is at the time of the call.
    handle: (...args) => gotalk.defaultHandlers.handleRequest(...args),
    handleRequest: (...args) => gotalk.defaultHandlers.handleRequest(...args),
    handleBufferRequest: (...args) => gotalk.defaultHandlers.handleBufferRequest(...args),
    handleStream: (...args) => gotalk.defaultHandlers.handleStream(...args),
    handleBufferStream: (...args) => gotalk.defaultHandlers.handleBufferStream(...args),
    handleNotification: (...args) => gotalk.defaultHandlers.handleNotification(...args),
    handleBufferNotification: (...args) => gotalk.defaultHandlers.handleBufferNotification(...args),
  };

  global.gotalk = gotalk;
})(globalThis);
