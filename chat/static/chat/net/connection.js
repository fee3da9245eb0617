// @ts-check
/**
 * The connection to the server, and its state, which is what the page says about it.
 *
 * @typedef {import("../types.js").ConnectionState} State
 */
import { LOG_IN, NOT_ALLOWED, RESTARTING } from "../lib/close-codes.js";
import { Emitter } from "../lib/emitter.js";
import { RequestFailed } from "./errors.js";

/** These are final: the page has to be loaded again. */
const FINAL_CODES = new Set([LOG_IN, NOT_ALLOWED]);
/** Pages reconnect within this time where a server that restarts names none. */
const SPREAD_MS = 3000;
/** A live connection answers within this. */
const PROBE_MS = 4000;

/**
 * Events: "state" (State), "open" when the server let us in and has sent the rooms, "close", and each
 * notification by its name.
 */
export class Connection extends Emitter {
  /** @type {State} */
  state = { kind: "connecting" };
  #sock;
  #spreadMs = SPREAD_MS;

  /** @param {any} gotalk @param {string[]} notifications their names */
  constructor(gotalk, notifications) {
    super();
    const handlers = gotalk.Handlers();
    for (const name of notifications)
      handlers.handleNotification(name, (/** @type {any} */ value) => this.emit(name, value));
    handlers.handleNotification("rooms", (/** @type {any} */ value) => this.#welcomed(value));
    handlers.handleNotification("notice", (/** @type {any} */ value) => this.#noticed(value));
    this.#sock = gotalk.Sock(handlers);
    // What cannot be sent is kept by the outbox, which survives a reload; a request does not wait.
    this.#sock.sendBufferLimit = 0;
    this.#sock.on("connecting", () => this.#set({ kind: navigator.onLine ? "connecting" : "offline" }));
    this.#sock.on("reconnecting", (/** @type {any} */ next) => this.#waits(next));
    this.#sock.on("close", (/** @type {any} */ error) => this.#closed(error));
    // The network went or came, or the machine slept: only a request tells whether the connection still works.
    for (const hint of ["offline", "online", "pageshow"]) addEventListener(hint, () => this.#probe());
    document.addEventListener("visibilitychange", () => this.#probe());
  }

  get isOnline() {
    return this.state.kind === "online";
  }

  get isEnded() {
    return this.state.kind === "ended";
  }

  start() {
    this.#sock.openKeepAlive();
  }

  /** Tries now instead of waiting. */
  retryNow() {
    this.#sock.reconnectIn(0);
  }

  /**
   * @param {string} op @param {any} [params] @param {{retries?: number, timeout?: number}} [options]
   * @returns {Promise<any>} rejects with a RequestFailed
   */
  async request(op, params = null, options = {}) {
    if (!this.isOnline) throw new RequestFailed({ code: "closed" });
    try {
      return await this.#sock.requestp(op, params, options);
    } catch (error) {
      throw new RequestFailed(/** @type {any} */ (error));
    }
  }

  /** Tells it if there is a connection. @param {string} name @param {any} value */
  notify(name, value) {
    if (!this.isOnline) return;
    try {
      this.#sock.notify(name, value);
    } catch {
      // The connection was lost this moment; a notification is not worth more.
    }
  }

  /**
   * The list of rooms is what the server first tells those whom it lets in; a socket that opens may yet be refused.
   * @param {Record<string, any>} rooms
   */
  #welcomed(rooms) {
    const isFirst = !this.isOnline;
    if (isFirst) this.#set({ kind: "online" });
    this.emit("rooms", rooms);
    if (isFirst) this.emit("open");
  }

  /** @param {{level: string, text: string, spread_ms?: number|null}} notice */
  #noticed(notice) {
    if (notice.level === "restart") this.#spreadMs = notice.spread_ms ?? SPREAD_MS;
    this.emit("notice", notice);
  }

  async #probe() {
    if (!this.isOnline || document.visibilityState === "hidden") {
      if (!navigator.onLine && !this.isOnline && !this.isEnded) this.#set({ kind: "offline" });
      return;
    }
    try {
      await this.#sock.requestp("echo", 1, { timeout: PROBE_MS, retries: 0 });
    } catch (error) {
      // Not `end`: it waits for a network that may be gone.
      if (/** @type {any} */ (error).code === "timeout") this.#sock.openKeepAlive();
    }
  }

  /** @param {any} error */
  #closed(error) {
    this.emit("close");
    const code = error?.closeCode ?? 0;
    if (FINAL_CODES.has(code)) {
      this.#sock.end();
      this.#set({ kind: "ended", code, reason: error.reason ?? "" });
    } else if (code === RESTARTING) {
      // All pages were told at the same moment; they must not all reconnect at the same moment.
      this.#sock.reconnectIn(500 + Math.random() * this.#spreadMs);
    }
  }

  /** @param {{delayMs: number, error: any}} next */
  #waits({ delayMs, error }) {
    if (this.isEnded) return;
    if (!navigator.onLine) {
      this.#set({ kind: "offline" });
      return;
    }
    const isRestart = error?.closeCode === RESTARTING || (this.state.kind === "waiting" && this.state.isRestart);
    this.#set({ kind: "waiting", until: Date.now() + delayMs, isRestart });
  }

  /** @param {State} state */
  #set(state) {
    this.state = state;
    this.emit("state", state);
  }
}
