import { NO_BYTES, protocol, toBytes } from "./codec.js";
import { RequestError } from "./errors.js";

/** @typedef {import("../gotalk").Parts} TypedParts */

/** Cost of the parts that a peer may send before we grant more; told in our `$hello`. */
export const WINDOW = 16;
/** The same for a peer without flow control: beyond, we keep no more parts for a slow reader. */
const UNMETERED_WINDOW = 1024;
/** How often to look whether the WebSocket has sent what waits in it: there is no event for that. */
const ROOM_POLL_MS = 20;

/** A part costs 1, and 1 more for each full 64 KiB. */
const costOf = (part) => 1 + (toBytes(part).length >> 16);

/**
 * @typedef {object} Carrier a stream as this peer has it
 * @property {string | Uint8Array} id
 * @property {any} connection that carries it
 * @property {() => void} moved hears that a part was sent, or taken by its reader
 */

/** Parts on their way out: in order, as the peer's credit and the socket's buffer allow. */
export class Outflow {
  carrier;
  #waiting = [];
  #spent = 0;
  #granted = 0;
  #timer;
  isStopped = false;
  #hasEnd = false;
  #error = null;

  /** @param {Carrier} carrier its connection is null while messages may wait for one */
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
    // A writer that does not wait learns of the failure where it reads the result.
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
      const { connection } = this.carrier;
      const { part, cost, resolve } = this.#waiting[0];
      if (connection !== null) {
        if (!connection.writable || (cost > 0 && this.#spent >= connection.window + this.#granted)) return;
        if (!connection.hasRoom) {
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

  /** Nothing more leaves; `error` is null when the peer has what it wants. */
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
    const { connection, id } = this.carrier;
    connection.send(protocol.MsgTypeStreamRes, id, null, 0, part);
  }
}

/** The parts of a request: the first goes in the message that opens the stream. */
export class RequestOutflow extends Outflow {
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

  /** Ends the request, whatever still waits. */
  hangUp() {
    if (this.isOpen && !this.#hasSentEnd) this.transmit(NO_BYTES);
  }

  transmit(part) {
    if (part.length === 0) {
      // Of a request that has no part: in `s` a size of 0 does not end it.
      if (!this.isOpen) this.#opening(NO_BYTES);
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
export class Meter {
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

  /** Returns what the part costs. @throws {RequestError} the peer ignores our window */
  arrived(part) {
    const limit = this.#carrier.connection.features.has("flow") ? 2 * WINDOW : UNMETERED_WINDOW;
    if (this.#held >= limit) throw new RequestError("too many parts at one time", { code: "too_fast" });
    const cost = costOf(part);
    this.#held += cost;
    return cost;
  }

  consumed(cost) {
    this.#consumed += cost;
    if (this.#consumed < WINDOW / 2) return;
    this.#carrier.connection.grant(this.#carrier.id, this.#of, this.#consumed);
    this.#held -= this.#consumed;
    this.#consumed = 0;
  }
}

/**
 * Parts that have arrived, until their one reader iterates over them.
 * @implements {TypedParts}
 */
export class Parts {
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
export class IdleTimer {
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
