import { NO_BYTES, idKey, protocol, toPayload } from "./codec.js";
import { RequestError, timedOut } from "./errors.js";
import { report } from "./events.js";
import { IdleTimer, Outflow, Parts } from "./flow.js";

/** Waits until its handler, the other side or the end of the connection ends it: only the first counts. */
export class Answer {
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
export function makeResult(answer) {
  const result = (payload) => answer.result(toPayload(payload));
  result.error = (error) => answer.fail(error);
  result.signal = answer.signal;
  return result;
}

/** A stream of the other side. */
export class StreamAnswer extends Answer {
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
