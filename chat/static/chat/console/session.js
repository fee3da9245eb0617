// @ts-check
/**
 * One connection through a door, from Open to its end. It uses the WebSocket as it is: whatever a person wants
 * to send goes out, and whatever happens is an entry of the log.
 */
import { Emitter } from "../lib/emitter.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { closeSummary } from "./closes.js";
import { eventEntry, frameEntry } from "./entries.js";

const OPENING = 0;
const OPEN = 1;
/** The code of a browser for an end without a close frame (RFC 6455 §7.1.5). */
const ABNORMAL = 1006;

/** Emits "entry" (an Entry of the log) and "state" after each change. */
export class Session extends Emitter {
  wire;
  #url;
  #socket;
  #wasOpen = false;
  #isLeaving = false;
  #heartbeat = 0;

  /** @param {string} url @param {import("./wires/wire.js").Wire} wire */
  constructor(url, wire) {
    super();
    this.wire = wire;
    this.#url = url;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#opened();
    this.#socket.onmessage = ({ data }) => this.#received(typeof data === "string" ? data : new Uint8Array(data));
    this.#socket.onclose = (event) => this.#closed(event);
  }

  get isOpening() {
    return this.#socket.readyState === OPENING;
  }

  get isOpen() {
    return this.#socket.readyState === OPEN;
  }

  /** @param {import("./wires/wire.js").Frame[]} frames */
  send(frames) {
    for (const frame of frames) {
      this.#socket.send(frame);
      this.emit("entry", frameEntry("SEND", frame, this.wire.readSent(frame)));
    }
  }

  close() {
    this.#isLeaving = true;
    this.#socket.close(1000);
    this.emit("state");
  }

  #opened() {
    this.#wasOpen = true;
    this.emit("entry", eventEntry("OPEN", this.#url));
    this.send(this.wire.greeting());
    this.#beat();
    this.emit("state");
  }

  /** @param {import("./wires/wire.js").Frame} frame */
  #received(frame) {
    this.emit("entry", frameEntry("RESPONSE", frame, this.wire.readReceived(frame)));
    if (this.isOpen) this.send(this.wire.questions());
    this.emit("state");
  }

  /** @param {{code: number, reason: string}} event */
  #closed(event) {
    clearTimeout(this.#heartbeat);
    if (this.#wasOpen || this.#isLeaving) this.emit("entry", eventEntry("CLOSE", closeSummary(event)));
    const isLost = !this.#wasOpen || event.code === ABNORMAL;
    if (isLost && !this.#isLeaving) this.emit("entry", eventEntry("ERROR", this.#whyLost()));
    this.emit("state");
  }

  #whyLost() {
    return this.#wasOpen
      ? gettext(
          "The connection was lost without a close frame. Check that the server is running, then open it again.",
        )
      : interpolate(
          gettext(
            "Could not open %(url)s. Check that this door exists and that the server is running, then open it again.",
          ),
          { url: this.#url },
        );
  }

  #beat() {
    if (this.wire.heartbeatMs === 0) return;
    this.#heartbeat = setTimeout(() => {
      if (this.isOpen) this.send(this.wire.heartbeat());
      this.#beat();
    }, this.wire.heartbeatMs);
  }
}
