import { FAULTS, ProtocolError, concat, fixnum, idKey, protocol, toBytes } from "./codec.js";
import { cancelled, connectionClosed } from "./errors.js";
import { WINDOW } from "./flow_control.js";
import { parseJSON } from "./handlers.js";
import { Reader } from "./reader.js";

export const WS_OPEN = 1;
/** A timer this late means that the machine or the page was suspended. */
const SLEEP_MS = 5000;
/** What may wait in the WebSocket before streams are held back; other messages always go in at once. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const HELLO = JSON.stringify({
  agent: "hubtalk/0.1",
  features: ["joined", "retry", "errors", "cancel", "streams", "flow"],
  window: WINDOW,
});
/** RFC 6455 §7.4.1 and the IANA registry, as far as a browser sees them; then our own. */
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
 * @returns {import("../gotalk").ConnectionError | null}
 */
export function closeError(event, what = "connection closed") {
  if (event.code === 1000) return null;
  if (event.code >= 4000 && event.code < 4000 + FAULTS.length) return new ProtocolError(event.code - 4000);
  const name = event.reason || CLOSE_NAMES.get(event.code);
  const error = new Error(name ? `${what}: ${name} (${event.code})` : `${what} (${event.code})`);
  return Object.assign(error, { closeCode: event.code, reason: event.reason || "" });
}

export class Connection {
  /** Whether the peer's `$hello` has come. */
  introduced = false;
  /** What it announced. */
  features = new Set();
  /** Cost of the parts of one direction of a stream that the peer takes before it grants more. */
  window = Infinity;
  /** Requests of the peer that wait for our answer: id key → `Answer`. */
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
   * `hooks`: `message(connection, msg)` for all but h and f, `introduced(connection)` when the peer has said what
   * it can, `granted(connection, key, credit)` for the parts of request `key`, `closed(connection, error)` at the end.
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

  /** Tells that nobody waits for the answer any more. Returns whether the peer understands that. */
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

  /** Ends the connection normally; `closed` follows when the peer has answered. */
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

  /** Tells the peer what it broke, and ends. */
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
