// @ts-check
/** The gotalk door: what is sent, and what is known of what was sent. */
import { gettext } from "../../lib/i18n.js";
import { hexOf, joined, utf8 } from "../bytes.js";
import { Direction, ID_LENGTH, codec, idBytes, jsonIn, shownId } from "./gotalk_frames.js";
import { Wire } from "./wire.js";

/** @typedef {import("./wire.js").Frame} Frame */

const CATALOG = "$ops";
const HELLO = "$hello";
/** What this page accepts. It answers nothing by itself, so it announces nothing that needs answers. */
const OWN_HELLO = JSON.stringify({ agent: "hubtalk console", features: ["joined", "retry", "errors"] });
/** As often as other peers do. */
const HEARTBEAT_MS = 10000;
const ID_COUNT = 36 ** ID_LENGTH;

/** What the composer offers, and the letter of each on the wire. */
export const KINDS = new Map([
  ["request", "r"],
  ["notification", "n"],
  ["stream", "s"],
  ["part", "p"],
  ["end", "p"],
  ["cancel", "n"],
]);

export class GotalkWire extends Wire {
  heartbeatMs = HEARTBEAT_MS;
  /** What the server answered to `$ops`, or null. @type {any} */
  catalog = null;
  /** The id of the last request that was sent, single or stream; "" before. */
  lastRequest = "";
  #asStock;
  /** What the peer announced. @type {Set<string>} */
  #features = new Set();
  #wasCatalogAsked = false;
  #nextId = 0;
  /** Requests that wait for their result: id as it is shown → operation. @type {Map<string, string>} */
  #asked = new Map();
  #sent = new Direction();
  #received = new Direction();

  /** @param {{asStock: boolean}} options as a stock peer: no `$hello`, and header and payload in two frames */
  constructor({ asStock }) {
    super();
    this.#asStock = asStock;
  }

  greeting() {
    const version = codec().versionBuf;
    return this.#asStock ? [version] : [version, ...this.#frames("n", null, HELLO, utf8(OWN_HELLO))];
  }

  /** The operations, once, of a server that can tell them. */
  questions() {
    if (this.#asStock || this.#wasCatalogAsked || !this.#features.has("ops")) return [];
    this.#wasCatalogAsked = true;
    return this.#frames("r", this.#newId(), CATALOG, new Uint8Array(0));
  }

  heartbeat() {
    return [codec().makeHeartbeatMsg(0)];
  }

  /** The operation of a request that was sent, as long as it waits for its result. @param {string} id */
  operationOf(id) {
    return this.#asked.get(id);
  }

  /** @param {import("./wire.js").Draft} draft */
  write({ kind, name, id, payload }) {
    const bytes = typeof payload === "string" ? utf8(payload) : payload;
    const letter = /** @type {string} */ (KINDS.get(kind));
    if (kind === "part") return this.#frames(letter, idBytes(id), null, bytes);
    if (kind === "end") return this.#frames(letter, idBytes(id), null, new Uint8Array(0));
    if (kind === "cancel") {
      return this.#frames(letter, null, "$cancel", utf8(JSON.stringify({ id: hexOf(idBytes(id)) })));
    }
    if (name === "") throw new RangeError(gettext("Enter the name of an operation, or choose one from the list."));
    return this.#frames(letter, kind === "notification" ? null : this.#newId(), name, bytes);
  }

  /** @param {Frame} frame */
  readSent(frame) {
    return this.#sent.read(frame, (message) => {
      if (message.type === "r" || message.type === "s") {
        this.lastRequest = shownId(message.id);
        this.#asked.set(this.lastRequest, message.name);
      } else if (message.name === HELLO) {
        this.#sent.follow(message);
      }
      return [];
    });
  }

  /** @param {Frame} frame */
  readReceived(frame) {
    return this.#received.read(frame, (message) => {
      if (message.name === HELLO && message.type === "n") {
        this.#features = this.#received.follow(message);
      }
      return "RSEe".includes(message.type) ? this.#answered(message) : [];
    });
  }

  /** Whose result it is. @param {any} message @returns {Array<[string, string]>} */
  #answered({ type, id, payload }) {
    const key = shownId(id);
    const operation = this.#asked.get(key);
    if (operation === undefined) return [];
    if (type !== "S" || payload.length === 0) this.#asked.delete(key);
    if (type === "R" && operation === CATALOG) this.catalog = jsonIn(payload);
    return [[gettext("answers"), operation]];
  }

  #newId() {
    const id = this.#nextId.toString(36).padStart(ID_LENGTH, "0");
    this.#nextId = (this.#nextId + 1) % ID_COUNT;
    return utf8(id);
  }

  /**
   * Header and payload in two frames, as stock peers need it, or in one to whoever announced `joined`.
   * @param {string} type @param {Uint8Array|null} id @param {string|null} name @param {Uint8Array} payload
   */
  #frames(type, id, name, payload) {
    const header = codec().makeMsg(type.charCodeAt(0), id, name, 0, payload.length);
    if (payload.length === 0) return [header];
    return !this.#asStock && this.#features.has("joined") ? [joined([header, payload])] : [header, payload];
  }
}
