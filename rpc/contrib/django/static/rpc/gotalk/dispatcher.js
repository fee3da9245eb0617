import { NO_BYTES, idKey, protocol, toPayload } from "./codec.js";
import { RequestError, timedOut } from "./errors.js";
import { guard, report } from "./events.js";
import { IdleTimer, Outflow, Parts } from "./flow_control.js";

/** Requests of the peer that may wait for the page's answer at one time. */
const MAX_INCOMING = 1024;
/** How many of them may be streams, and when to try again. */
const MAX_INCOMING_STREAMS = 8;
const STREAMS_RETRY_MS = 1000;

/** Waits until its handler, the peer or the end of the connection ends it: only the first counts. */
class Answer {
  id;
  connection;
  #key;
  #controller = new AbortController();

  constructor(connection, id) {
    this.connection = connection;
    this.id = id;
    this.#key = idKey(id);
    connection.incoming.set(this.#key, this);
  }

  /** Aborted when nobody waits for the answer any more. */
  get signal() {
    return this.#controller.signal;
  }

  /** Whether it waits. Another request may have its id by now. */
  get isOpen() {
    return this.connection.incoming.get(this.#key) === this;
  }

  result(payload) {
    this.settle(null, () => this.connection.send(protocol.MsgTypeSingleRes, this.id, null, 0, payload));
  }

  fail(error) {
    this.settle(error, () => this.connection.sendError(this.id, error));
  }

  /** Ends it in the midst of its handler. */
  abort(error) {
    this.fail(error);
    this.#controller.abort(error);
  }

  /** Answers with what the handler has thrown: what has a `code` is for the peer, the rest for us. */
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
    this.connection.incoming.delete(this.#key);
    if (this.connection.writable) send();
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

/** A stream of the peer. */
class StreamAnswer extends Answer {
  #codec;
  #outflow = new Outflow(this);
  #parts;
  #idle;

  constructor(connection, id, codec, timeout) {
    super(connection, id);
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

  /** `endsByPart`: the peer learns that the answer has ended from an empty part alone. */
  async run(handler, op, endsByPart) {
    try {
      const outcome = handler(this.#parts, op);
      if (Symbol.asyncIterator in Object(outcome)) {
        for await (const value of outcome) await this.#outflow.write(this.#codec.encode(value));
        this.settle(null, () => this.#outflow.transmit(NO_BYTES));
      } else {
        const payload = this.#codec.encode(await outcome);
        if (endsByPart) this.#resultInParts(payload);
        else this.result(payload);
      }
    } catch (error) {
      this.failed(op, error);
    }
  }

  #resultInParts(payload) {
    this.settle(null, () => {
      if (payload.length > 0) this.#outflow.transmit(payload);
      this.#outflow.transmit(NO_BYTES);
    });
  }

  settle(error, send) {
    super.settle(error, send);
    this.#idle.stop();
    this.#outflow.stop(error);
    this.#parts.drop(error);
  }
}

/** Takes what the peer asks and tells to the handlers of a socket. */
export class Dispatcher {
  #sock;

  constructor(sock) {
    this.#sock = sock;
  }

  /** A request, a part of one, or a notification that is not the protocol's own. */
  receive(connection, msg) {
    if (msg.t === protocol.MsgTypeStreamReqPart) {
      const answer = connection.incoming.get(idKey(msg.id));
      if (answer !== undefined) answer.receive(msg.payload);
    } else if (msg.t === protocol.MsgTypeNotification) {
      const handler = this.#sock.handlers.findNotificationHandler(msg.name);
      if (handler) guard(`handler of "${msg.name}"`, () => handler(msg.payload, msg.name));
    } else {
      this.#serve(connection, msg);
    }
  }

  #serve(connection, msg) {
    const handler = this.#sock.handlers.findRequestHandler(msg.name);
    const stream = this.#sock.handlers.findStreamHandler(msg.name);
    const refuse = (text, code, retryAfterMs) => {
      connection.sendError(msg.id, new RequestError(text, { code, retryAfterMs }));
    };
    if (connection.incoming.has(idKey(msg.id))) {
      refuse("a request with this id is being answered", "duplicate_id");
    } else if (connection.incoming.size >= MAX_INCOMING) {
      refuse("too many requests at one time", "busy");
    } else if (stream !== null) {
      const isStream = (answer) => answer instanceof StreamAnswer;
      if ([...connection.incoming.values()].filter(isStream).length >= MAX_INCOMING_STREAMS) {
        refuse("too many streams at one time", "too_many_streams", STREAMS_RETRY_MS);
      } else {
        this.#serveStream(connection, msg, stream);
      }
    } else if (typeof handler !== "function") {
      refuse(`unknown operation "${msg.name}"`, "unknown_operation");
    } else if (msg.t === protocol.MsgTypeStreamReq) {
      refuse("not a stream operation", "not_a_stream");
    } else {
      const answer = new Answer(connection, msg.id);
      guard(
        `handler of "${msg.name}"`,
        () => handler(msg.payload, makeResult(answer), msg.name),
        (error) => answer.failed(msg.name, error),
      );
    }
  }

  /** A single request is a stream of its one part, or of none. */
  #serveStream(connection, msg, { handler, codec }) {
    const answer = new StreamAnswer(connection, msg.id, codec, this.#sock.streamTimeout);
    if (msg.payload.length > 0) answer.receive(msg.payload);
    if (msg.t === protocol.MsgTypeSingleReq) answer.receive(NO_BYTES);
    const isStock = connection.features.size === 0;
    if (answer.isOpen) answer.run(handler, msg.name, isStock && msg.t === protocol.MsgTypeStreamReq);
  }
}
