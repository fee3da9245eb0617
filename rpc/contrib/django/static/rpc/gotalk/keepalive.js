/** @typedef {import("../gotalk").KeepAlive} TypedKeepAlive */

/** Full jitter: each wait is random below a ceiling that doubles from the first to the last of these. */
const FIRST_CEILING_MS = 1000;
const LAST_CEILING_MS = 10000;
/** A connection that lasted so long was healthy: the ceiling starts anew. */
const HEALTHY_MS = 60000;

/**
 * Opens the next connection when one is lost. Emits "connecting" and "reconnecting" on the socket.
 * @implements {TypedKeepAlive}
 */
export class KeepAlive {
  isEnabled = false;
  isConnected = false;
  #sock;
  #connect;
  #attempt = 0;
  #openedAt = 0;
  /** @type {number | null} */
  #givenDelay = null;
  /** @type {any} */
  #timer = null;
  #online = () => {
    if (this.#timer !== null) this.#open();
  };

  /** `connect(callback)` makes one attempt. */
  constructor(sock, connect) {
    this.#sock = sock;
    this.#connect = connect;
  }

  enable() {
    if (this.isEnabled) return;
    this.isEnabled = true;
    if (globalThis.addEventListener) globalThis.addEventListener("online", this.#online);
    if (!this.isConnected) this.#open();
  }

  disable() {
    this.isEnabled = false;
    this.#stopTimer();
    if (globalThis.removeEventListener) globalThis.removeEventListener("online", this.#online);
  }

  reconnectIn(ms) {
    this.#givenDelay = Math.max(0, ms);
    if (this.#timer !== null) this.#schedule(null);
  }

  lost(error) {
    this.isConnected = false;
    if (Date.now() - this.#openedAt >= HEALTHY_MS) this.#attempt = 0;
    this.#retry(error);
  }

  #open() {
    this.#stopTimer();
    this.#sock.emit("connecting", { attempt: this.#attempt });
    this.#connect((error) => {
      if (error) {
        this.#retry(error);
        return;
      }
      this.isConnected = true;
      this.#openedAt = Date.now();
    });
  }

  #retry(error) {
    if (!this.isEnabled) return;
    this.#attempt++;
    this.#schedule(error);
  }

  #schedule(error) {
    const delayMs = this.#givenDelay === null ? Math.random() * this.#ceiling(error) : this.#givenDelay;
    this.#givenDelay = null;
    this.#stopTimer();
    this.#timer = setTimeout(() => this.#open(), delayMs);
    this.#sock.emit("reconnecting", { delayMs, attempt: this.#attempt, error });
  }

  /** A client that was rejected, and will be again, waits longest; the page may `end()` instead. */
  #ceiling(error) {
    const closeCode = error ? error.closeCode : undefined;
    const wasRefused = (closeCode >= 4400 && closeCode < 4500) || closeCode === 4001 || closeCode === 4002;
    if (wasRefused) return LAST_CEILING_MS;
    return Math.min(FIRST_CEILING_MS * 2 ** (this.#attempt - 1), LAST_CEILING_MS);
  }

  #stopTimer() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
