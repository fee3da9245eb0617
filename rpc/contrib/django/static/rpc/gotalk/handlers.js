import { toBytes, toPayload, toText } from "./codec.js";
import { RequestError } from "./errors.js";
import { warnDeveloper } from "./events.js";

/** @typedef {import("../gotalk").Handlers} TypedHandlers */

/** Undefined when it is not JSON. */
export function parseJSON(payload) {
  try {
    return JSON.parse(toText(payload));
  } catch {
    return undefined;
  }
}

/** Empty is null; what is not JSON is undefined, as in the stock file. */
export function decodeJSON(payload) {
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
export const JSON_PARTS = {
  encode: (value) => JSON.stringify(value) ?? "null",
  decode(part) {
    const value = part.length === 0 ? null : parseJSON(part);
    if (value === undefined) throw new RequestError("a part is not JSON", { code: "bad_params" });
    return value;
  },
};

/** @type {PartCodec} */
export const RAW_PARTS = { encode: toPayload, decode: toBytes };

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

export function Handlers() {
  return new HandlerSet();
}
Handlers.prototype = HandlerSet.prototype;
