/**
 * A request or a stream failed. `code` is a word: the peer's own, or "timeout", "closed", "cancelled",
 * "unsupported"; `field` names the parameter that is wrong, `retryAfterMs` says when the same request may
 * succeed. Each may be undefined. A handler that throws one tells the peer just these.
 */
export class RequestError extends Error {
  /** @param {import("../gotalk").ErrorDetails} [details] */
  constructor(message, details = {}) {
    const { code, field, retryAfterMs } = details;
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.field = field;
    this.retryAfterMs = retryAfterMs;
  }
}

export const notConnected = () => new RequestError("socket is closed", { code: "closed" });
/** What is lost with a connection; `error` is null for a normal end. */
export const connectionClosed = (error) =>
  new RequestError(error ? error.message : "connection closed", { code: "closed" });
export const cancelled = () => new RequestError("cancelled", { code: "cancelled" });
export const timedOut = () => new RequestError("timed out", { code: "timeout" });
export const unsupported = () => new RequestError("the peer does not support streams", { code: "unsupported" });
