import { resolveAddress } from "./address.js";
import { Answer, StreamAnswer, makeResult } from "./answers.js";
import { RequestCall } from "./calls.js";
import { LAYOUTS, NO_BYTES, encodeName, idKey, protocol, toPayload } from "./codec.js";
import { RequestError, connectionClosed, notConnected } from "./errors.js";
import { EventEmitter, guard, warnDeveloper } from "./events.js";
import { gotalk } from "./global.js";
import { JSON_PARTS, RAW_PARTS, decodeJSON } from "./handlers.js";
import { KeepAlive } from "./keepalive.js";
import { Link, WS_OPEN, closeError } from "./link.js";
import { EventCall, Stream } from "./streams.js";

/** @typedef {import("../gotalk").Socket} TypedSocket */

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
   * @param {import("../gotalk").StreamOptions & { buffer?: boolean }} [options] `buffer`: parts are bytes
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
export function Sock(handlers, proto) {
  return new Socket(handlers, proto);
}
Sock.prototype = Socket.prototype;
