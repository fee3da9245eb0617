import { RequestCall, Requester } from "./calls.js";
import { LAYOUTS, encodeName, idKey, protocol, toPayload } from "./codec.js";
import { Connection, WS_OPEN } from "./connection.js";
import { Dispatcher } from "./dispatcher.js";
import { RequestError, connectionClosed, notConnected } from "./errors.js";
import { EventEmitter, guard, report, warnDeveloper } from "./events.js";
import { JSON_PARTS, RAW_PARTS, decodeJSON } from "./handlers.js";
import { KeepAlive } from "./keepalive.js";
import { destination, isRefused, openWebSocket, prepare } from "./opening.js";
import { gotalk } from "./page.js";
import { EventCall, Stream } from "./streams.js";

/** @typedef {import("../gotalk").Socket} TypedSocket */

/** The messages that answer a call. */
const ANSWERS = new Set([
  protocol.MsgTypeSingleRes,
  protocol.MsgTypeStreamRes,
  protocol.MsgTypeErrorRes,
  protocol.MsgTypeRetryRes,
]);

const NO_ONE = () => {};

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
  /** How often a request is repeated when the peer asks for it. */
  retryLimit = 5;
  /** How many messages may wait for a connection; 0 refuses them at once. */
  sendBufferLimit = 100;
  /** @type {Connection | null} */
  #connection = null;
  /** Whether the page may use it: not before its login and `onConnect`. */
  #isReady = false;
  /** @type {((error: Error) => void) | null} */
  #opening = null;
  /**
   * Hears once whether the page may use a connection.
   * @type {(error: Error | null, sock?: Socket) => void}
   */
  #onOpened = NO_ONE;
  #ending = false;
  #queue = [];
  #dispatcher = new Dispatcher(this);
  #requester = new Requester({
    send: this.sendMsg.bind(this),
    connection: () => (this.#isReady ? this.#connection : null),
    connectTimeout: () => this.connectTimeout,
    forgotten: (call) => this.#forgotten(call),
  });

  constructor(handlers, proto) {
    super();
    this.handlers = handlers || gotalk.defaultHandlers;
    this.protocol = proto || protocol.binary;
  }

  /** What the peer announced in its `$hello`; empty for a stock peer. */
  get features() {
    return this.#connection === null ? new Set() : new Set(this.#connection.features);
  }

  /** The address of the present connection, or null. */
  address() {
    return this.ws === null ? null : this.ws.url;
  }

  /**
   * Connects once. `callback(error, socket)` hears how it went; then "open" is emitted.
   * @param {any} [addr] default: `gotalk.defaultResponderAddress`; or a connection's options
   * @param {(error: Error|null, sock?: Socket) => void} [callback]
   */
  open(addr, callback) {
    const onOpened = callback || (typeof addr === "function" ? addr : NO_ONE);
    const to = destination(typeof addr === "function" ? undefined : addr);
    this.#release();
    this.#onOpened = onOpened;
    this.#connect(to, (error) => error !== null && this.#opened(error));
    return this;
  }

  /** Connects, and again whenever the connection is lost, until `end()`. */
  openKeepAlive(addr) {
    const to = destination(addr);
    this.#release();
    this.keepalive = new KeepAlive(this, (attempted) => this.#connect(to, attempted));
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
    if (this.#connection !== null) this.#connection.drop(null);
    this.#isReady = false;
    this.ws = ws;
    this.#connection = new Connection(this, ws, {
      message: (connection, msg) => this.#receive(connection, msg),
      introduced: (connection) => this.#isReady && this.#requester.introduced(connection),
      granted: (connection, id, credit) => this.#requester.find(connection, id)?.grant(credit),
      closed: (connection, error) => this.#closed(connection, error),
    });
  }

  adoptWebSocket(ws) {
    this.adopt(ws);
  }

  /** Sends our version and what we can do, then what waited for a connection. */
  handshake() {
    this.#present.handshake();
    this.#admit();
  }

  startReading() {
    this.#present.startReading();
  }

  /** Ends after the pending requests are answered; at once when called again. */
  end() {
    this.#stopOpening();
    if (this.#connection === null) {
      this.#requester.lose(() => true);
      this.#queue = [];
      return;
    }
    if (this.#ending || this.#requester.isIdle) this.#connection.close();
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
    return new Stream(this.#requester, op, buffer ? RAW_PARTS : JSON_PARTS, { timeout, signal });
  }

  /** Opens a stream whose parts are Uint8Arrays. */
  bufferStream(op, options) {
    return this.stream(op, { ...options, buffer: true });
  }

  /** A request in parts with events; nothing is sent before its first `write`. */
  streamRequest(op) {
    return new EventCall(this.#requester, op).stream;
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
    if (this.#isReady && this.#present.writable) {
      this.#deliver(t, id, name, wait, body);
    } else if (this.#queue.length < this.sendBufferLimit) {
      this.#queue.push([t, id, name, wait, body]);
    } else {
      throw notConnected();
    }
  }

  /** The connection that there must be. @throws {RequestError} */
  get #present() {
    if (this.#connection === null) throw notConnected();
    return this.#connection;
  }

  #deliver(t, id, name, wait, payload) {
    this.#present.send(t, id, name, wait, payload);
    this.#requester.sent(this.#connection, id);
  }

  /** `attempted(error)` hears whether there is a connection, which may still have to be prepared. */
  #connect(to, attempted) {
    try {
      this.#opening = openWebSocket(
        to.url,
        this.connectTimeout,
        (ws) => {
          this.#opening = null;
          this.adopt(ws);
          this.#begin(this.#connection, to, attempted);
        },
        (error) => {
          this.#opening = null;
          attempted(error);
        },
      );
    } catch (error) {
      warnDeveloper("cannot open", to.url, error);
      attempted(error);
      this.emit("close", error);
    }
  }

  #begin(connection, to, attempted) {
    connection.handshake();
    attempted(null);
    if (to.token === undefined && to.onConnect === undefined) {
      this.#ready(connection);
      connection.startReading();
    } else {
      connection.startReading();
      prepare(this.#fresh(connection), to, this.requestTimeout).then(
        () => this.#ready(connection),
        (error) => this.#unprepared(connection, error),
      );
    }
  }

  /** What `onConnect` may use: it goes out before all that waits. */
  #fresh(connection) {
    const send = (t, id, name, wait, payload) => {
      if (!connection.writable) throw notConnected();
      this.#deliver(t, id, name, wait, toPayload(payload));
    };
    return {
      request: (op, value, options) => this.#ask(op, JSON.stringify(value), options, send).then(decodeJSON),
      notify: (name, value) => send(protocol.MsgTypeNotification, null, name, 0, JSON.stringify(value)),
    };
  }

  #ready(connection) {
    if (connection !== this.#connection) return;
    this.#admit();
    this.#opened(null);
    this.emit("open", this);
  }

  /** From now on the page may use the connection. What waited leaves first. */
  #admit() {
    const connection = this.#present;
    this.#isReady = true;
    for (const [t, id, name, wait, payload] of this.#queue.splice(0)) {
      this.#deliver(t, id, name, wait, payload);
    }
    if (connection.introduced) this.#requester.introduced(connection);
  }

  /** The next connection may go better, unless the token was refused. */
  #unprepared(connection, error) {
    if (connection !== this.#connection) return;
    if (isRefused(error)) {
      this.#stopOpening();
      this.#ending = true;
      this.#queue = [];
    } else if (!(error instanceof RequestError)) {
      report("onConnect", error);
    }
    connection.drop(error);
  }

  #opened(error) {
    const onOpened = this.#onOpened;
    this.#onOpened = NO_ONE;
    guard("callback of open", () => (error === null ? onOpened(null, this) : onOpened(error)));
  }

  /** Lets go of what there is, so that another connection can take its place. */
  #release() {
    this.#stopOpening();
    if (this.#connection !== null) this.#connection.drop(null);
  }

  #stopOpening() {
    if (this.keepalive !== null) this.keepalive.disable();
    this.keepalive = null;
    if (this.#opening !== null) this.#opening(new Error("connection closed"));
  }

  #closed(connection, error) {
    const hasEnded = this.#ending;
    const { keepalive } = this;
    this.#connection = null;
    this.#isReady = false;
    this.ws = null;
    this.#ending = false;
    this.#opened(error || connectionClosed(null));
    this.#requester.lose((call) => hasEnded || call.connection === connection, error);
    this.emit("close", error);
    if (keepalive !== null && keepalive === this.keepalive) keepalive.lost(error);
  }

  /** Nothing of it is sent later: what was reported as failed must not happen afterwards. */
  #forgotten(call) {
    this.#queue = this.#queue.filter((message) => message[1] !== call.id);
    if (this.#ending && this.#requester.isIdle) this.#present.close();
  }

  #ask(op, payload, given, send = this.#requester.send) {
    const { timeout = this.requestTimeout, retries = this.retryLimit, signal } = Object(given);
    return new RequestCall(this.#requester, op, payload, { timeout, retries, signal }, send).promise;
  }

  #receive(connection, msg) {
    if (ANSWERS.has(msg.t)) this.#requester.find(connection, idKey(msg.id))?.answer(connection, msg);
    else this.#dispatcher.receive(connection, msg);
  }
}

/** A socket; `handlers` defaults to `gotalk.defaultHandlers`, `proto` to `protocol.binary`. */
export function Sock(handlers, proto) {
  return new Socket(handlers, proto);
}
Sock.prototype = Socket.prototype;
