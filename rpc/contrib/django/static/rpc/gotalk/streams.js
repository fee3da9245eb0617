import { Call, readError } from "./calls.js";
import { NO_BYTES, protocol, toPayload } from "./codec.js";
import { cancelled, notConnected, timedOut, unsupported } from "./errors.js";
import { EventEmitter } from "./events.js";
import { IdleTimer, Meter, Parts, RequestOutflow } from "./flow_control.js";

/** @typedef {import("../gotalk").Stream} TypedStream */
/** @typedef {import("../gotalk").StreamRequest} TypedStreamRequest */

/** How long the peer may take to answer our `$hello` with what it supports. */
const HELLO_MS = 5000;

/**
 * In the place of the connection until it is known what the peer supports: nothing is sent.
 * @type {any}
 */
const NO_CONNECTION = { writable: false, cancel: () => false };

/**
 * A request in parts whose result comes in parts, as fast as the slower peer. The page writes with
 * `write` and `end`, of which the first call opens the request, and iterates over the result; `cancel`, or
 * leaving that loop, gives it up.
 * @implements {TypedStream}
 */
export class Stream extends Call {
  connection = NO_CONNECTION;
  #codec;
  #outflow;
  #parts;
  #idle;

  /** @param {import("../gotalk").StreamOptions} options */
  constructor(requester, op, codec, options) {
    const { timeout, signal } = options;
    super(requester);
    this.#codec = codec;
    this.#outflow = new RequestOutflow(this, op, requester.send);
    this.#parts = new Parts(this, "S", codec.decode, () => this.cancel());
    this.#idle = new IdleTimer(timeout, () => this.giveUp(this.#silence()));
    if (!this.heed(signal)) return;
    const connection = requester.connection;
    this.#idle.touch(connection === null ? requester.connectTimeout : HELLO_MS);
    if (connection !== null && connection.introduced) this.introduced(connection);
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

  introduced(connection) {
    if (this.connection !== NO_CONNECTION) return;
    if (!connection.features.has("streams")) {
      this.lost(unsupported());
      return;
    }
    this.connection = connection;
    this.moved();
    this.#outflow.pump();
  }

  answer(connection, msg) {
    this.moved();
    try {
      if (msg.t === protocol.MsgTypeStreamRes) {
        this.#parts.receive(msg.payload);
        if (msg.payload.length === 0) this.lost(null);
      } else if (msg.t === protocol.MsgTypeSingleRes) {
        this.#parts.receiveOnly(msg.payload);
        this.lost(null);
      } else {
        this.lost(readError(connection, msg));
      }
    } catch (error) {
      this.giveUp(error);
    }
  }

  giveUp(error) {
    if (this.#outflow.isStopped) return;
    if (this.#outflow.isOpen && !this.connection.cancel(this.id)) this.#outflow.hangUp();
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
    if (this.connection !== NO_CONNECTION) return timedOut();
    return this.requester.connection === null ? notConnected() : unsupported();
  }
}

/** What stands behind a `StreamRequest`, whose parts are events. */
export class EventCall extends Call {
  stream;
  #outflow;
  #meter = new Meter(this, "S");

  constructor(requester, op) {
    super(requester);
    this.#outflow = new RequestOutflow(this, op, requester.send);
    this.stream = new EventStream(op, this.id, this.#outflow);
  }

  answer(connection, msg) {
    if (msg.t === protocol.MsgTypeErrorRes || msg.t === protocol.MsgTypeRetryRes) {
      this.lost(readError(connection, msg));
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

  /** The result has ended, and with it the request: stock peers fail at parts that come later. */
  finish(error) {
    this.ended = true;
    this.emit("end", error);
    this.emit("close", error);
  }
}

/** The low-level form: on a socket, under an id of your own. */
export function StreamRequest(sock, op, id) {
  const carrier = { id, connection: null, moved() {} };
  return new EventStream(op, id, new RequestOutflow(carrier, op, sock.sendMsg.bind(sock)));
}
StreamRequest.prototype = EventStream.prototype;
