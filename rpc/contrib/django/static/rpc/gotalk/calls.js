import { MAX_MESSAGE_BYTES, NO_BYTES, concat, protocol, toBytes, toText } from "./codec.js";
import { RequestError, connectionClosed, timedOut } from "./errors.js";
import { Meter } from "./flow_control.js";
import { parseJSON } from "./handlers.js";

/** Waits of a peer below this would be a hot loop. */
const MIN_RETRY_MS = 250;

/** The error that an E or e message tells. */
export function readError(connection, msg) {
  const text = toText(msg.payload);
  const wait = msg.t === protocol.MsgTypeRetryRes ? msg.wait : undefined;
  const told = connection.features.has("errors") ? Object(parseJSON(msg.payload)) : {};
  const { error = text, code, field, retry_after_ms: retryAfterMs = wait } = told;
  return new RequestError(String(error), { code, field, retryAfterMs });
}

/** What waits for an answer. */
export class Call {
  /** Given by `requester.register`. */
  id = "";
  /**
   * The connection that carries it; null until it is sent.
   * @type {any}
   */
  connection = null;
  requester;
  #signal;
  #abort = () => this.giveUp(this.#signal.reason || new RequestError("aborted", { code: "aborted" }));

  constructor(requester) {
    this.requester = requester;
    requester.register(this);
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
    this.requester.forget(this);
  }

  giveUp(error) {
    if (this.connection !== null) this.connection.cancel(this.id);
    this.lost(error);
  }

  /** Takes a message with its id. */
  answer(connection, msg) {}
  /** There will be no answer; `error` says why, or is null. */
  lost(error) {}
  /** The peer has said what it can. */
  introduced(connection) {}
  /** More parts of the request may leave. */
  grant(credit) {}
  moved() {}
}

/** One request until its promise settles. */
export class RequestCall extends Call {
  promise;
  #resolve;
  #reject;
  #op;
  #payload;
  #transmit;
  #deadline;
  #retriesLeft;
  #timer;
  #retryTimer;
  #parts = [];
  #size = 0;
  #meter;

  /**
   * @param {Required<Omit<import("../gotalk").RequestOptions, "signal">> & { signal?: AbortSignal }} options
   * @param {any} send takes what `Socket.sendMsg` takes
   */
  constructor(requester, op, payload, options, send) {
    const { timeout, retries, signal } = options;
    super(requester);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#op = op;
    this.#payload = payload;
    this.#transmit = send;
    this.#retriesLeft = retries;
    this.#deadline = timeout > 0 ? Date.now() + timeout : Infinity;
    if (!this.heed(signal)) return;
    if (timeout > 0) this.#timer = setTimeout(() => this.giveUp(timedOut()), timeout);
    this.#send();
  }

  answer(connection, msg) {
    if (msg.t === protocol.MsgTypeErrorRes) this.lost(readError(connection, msg));
    else if (msg.t === protocol.MsgTypeRetryRes) this.#retry(readError(connection, msg), msg.wait);
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
      this.#transmit(protocol.MsgTypeSingleReq, this.id, this.#op, 0, this.#payload);
    } catch (error) {
      this.lost(error);
    }
  }

  /** The peer asks to repeat it later, under a new id. */
  #retry(error, wait) {
    const delay = Math.max(wait, MIN_RETRY_MS) * (1 + Math.random() / 2);
    if (this.#retriesLeft <= 0 || Date.now() + delay >= this.#deadline) {
      this.lost(error);
      return;
    }
    this.#retriesLeft--;
    this.connection = null;
    this.requester.register(this);
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

/** Our calls that wait for an answer, each under an id of its own. Ids go on over connections. */
export class Requester {
  #calls = new Map();
  #nextId = 0;
  #sock;

  /**
   * @param {{send: any, connection: () => any, connectTimeout: () => number, forgotten: (call: any) => void}} sock
   *   `forgotten` hears of each call that is over
   */
  constructor(sock) {
    this.#sock = sock;
    /** Takes what `Socket.sendMsg` takes. */
    this.send = sock.send;
  }

  get isIdle() {
    return this.#calls.size === 0;
  }

  /** The present connection, or null. */
  get connection() {
    return this.#sock.connection();
  }

  /** Milliseconds that opening one may take. */
  get connectTimeout() {
    return this.#sock.connectTimeout();
  }

  /** Gives a call a new id. */
  register(call) {
    this.#calls.delete(call.id);
    do {
      call.id = this.#nextId.toString(36).padStart(4, "0");
      this.#nextId = (this.#nextId + 1) % 36 ** 4;
    } while (this.#calls.has(call.id));
    this.#calls.set(call.id, call);
  }

  forget(call) {
    this.#calls.delete(call.id);
    this.#sock.forgotten(call);
  }

  /** A message with this id, if it is a call's, has left on `connection`. */
  sent(connection, id) {
    const call = this.#calls.get(id);
    if (call !== undefined) call.connection = connection;
  }

  /** The call that a message on `connection` is about. */
  find(connection, id) {
    const call = this.#calls.get(id);
    return call !== undefined && call.connection === connection ? call : undefined;
  }

  introduced(connection) {
    for (const call of [...this.#calls.values()]) call.introduced(connection);
  }

  /** Calls that `isLost` tells will have no answer; `error` is why their connection ended, null for a normal end. */
  lose(isLost, error) {
    for (const call of [...this.#calls.values()].filter(isLost)) call.lost(connectionClosed(error));
  }
}
