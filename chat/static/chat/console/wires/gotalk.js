// @ts-check
/** The gotalk door: the codec is that of /gotalk/gotalk.js, which the page loads before its modules. */
import { gettext, interpolate } from "../../lib/i18n.js";
import { asText, hexOf, joined, parseHex, utf8 } from "../bytes.js";
import { Wire, reading } from "./wire.js";

/** @typedef {import("./wire.js").Frame} Frame */

const CATALOG = "$ops";
const HELLO = "$hello";
/** What this page bears to receive. It answers nothing by itself, so it promises nothing that wants answers. */
const OWN_HELLO = JSON.stringify({ agent: "hubtalk console", features: ["joined", "retry", "errors"] });
/** As often as other peers do. */
const HEARTBEAT_MS = 10000;
const ID_LENGTH = 4;
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

/** @type {Map<string, () => string>} */
const TYPE_NAMES = new Map([
  ["r", () => gettext("request")],
  ["s", () => gettext("stream request")],
  ["p", () => gettext("part of a stream request")],
  ["R", () => gettext("result")],
  ["S", () => gettext("part of a result")],
  ["E", () => gettext("error result")],
  ["e", () => gettext("retry result")],
  ["n", () => gettext("notification")],
  ["h", () => gettext("heartbeat")],
  ["f", () => gettext("protocol error")],
]);

/** @type {Array<() => string>} */
const FAULTS = [
  () => gettext("abnormal end"),
  () => gettext("unsupported version"),
  () => gettext("invalid message"),
  () => gettext("timeout"),
];

export class GotalkWire extends Wire {
  heartbeatMs = HEARTBEAT_MS;
  /** What the server answered to `$ops`, or null. @type {any} */
  catalog = null;
  /** The id of the last request that was sent, single or stream; "" before. */
  lastRequest = "";
  #asStock;
  /** What the other side announced. @type {Set<string>} */
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

const protocol = () => /** @type {any} */ (globalThis).gotalk.protocol;
const codec = () => protocol().binary;

/** What goes one way: cuts frames into messages, and goes on after what is none. */
class Direction {
  #reader = new (protocol().Reader)();

  /** A `$hello` was read: how the sender lays out what follows. @param {any} message @returns {Set<string>} */
  follow(message) {
    const features = jsonIn(message.payload)?.features;
    const announced = new Set(Array.isArray(features) ? features : []);
    this.#reader.joined = announced.has("joined");
    return announced;
  }

  /**
   * @param {Frame} frame
   * @param {(message: any) => Array<[string, string]>} notice is told each message; returns more fields of it
   */
  read(frame, notice) {
    const readings = [];
    const reader = this.#reader;
    const hadVersion = reader.versionSeen;
    try {
      for (const { t, ...rest } of reader.feed(frame)) {
        const message = { ...rest, type: String.fromCharCode(t) };
        readings.push(reading({ ...shown(message), payload: message.payload }));
        readings[readings.length - 1].fields.push(...notice(message));
      }
    } catch (error) {
      readings.push(reading({ payload: frame, note: this.#explain(error) }));
    }
    if (!hadVersion && reader.versionSeen) {
      readings.unshift(reading({ fields: [[gettext("version"), "01"]] }));
    }
    return readings.length > 0 ? readings : [incomplete(frame)];
  }

  /** What follows may be whole again, so it is read anew. @param {any} error */
  #explain(error) {
    if (!error.isGotalkProtocolError) throw error;
    const { joined: isJoined } = this.#reader;
    this.#reader = new (protocol().Reader)();
    this.#reader.joined = isJoined;
    Array.from(this.#reader.feed(codec().versionBuf));
    return interpolate(gettext("Not gotalk: %(why)s."), { why: error.message });
  }
}

/** A frame that ends no message: most often a header whose payload is the next frame. @param {Frame} frame */
function incomplete(frame) {
  const bytes = typeof frame === "string" ? utf8(frame) : frame;
  const header = headerIn(bytes);
  if (header === null) {
    return reading({ payload: frame, note: gettext("Part of a message: the rest is in the next frame.") });
  }
  const { fields } = shown({ ...header, type: String.fromCharCode(header.t) });
  return reading({ fields: [...fields, [gettext("payload"), gettext("in the next frame")]] });
}

/** The header that the bytes are, whole and alone, or null. @param {Uint8Array} bytes */
function headerIn(bytes) {
  try {
    const header = codec().parseMsg(bytes);
    return header !== null && header.end === bytes.length ? header : null;
  } catch {
    return null;
  }
}

/** @param {any} message @returns {Pick<import("./wire.js").Reading, "fields"|"isHeartbeat">} */
function shown({ type, id, name, wait, size }) {
  /** @type {Array<[string, string]>} */
  const fields = [[gettext("type"), `${type} (${TYPE_NAMES.get(type)?.()})`]];
  if (id !== undefined) fields.push([gettext("id"), shownId(id)]);
  if (name !== undefined) fields.push([type === "n" ? gettext("name") : gettext("operation"), name]);
  if (type === "e") fields.push([gettext("wait"), `${wait} ms`]);
  if (type === "h") {
    fields.push([gettext("load"), String(wait)], [gettext("time"), new Date(size * 1000).toISOString()]);
  } else if (type === "f") {
    fields.push([gettext("code"), `${size} (${FAULTS[size]?.() ?? gettext("unknown")})`]);
  } else {
    fields.push([gettext("size"), String(size)]);
  }
  return { fields, isHeartbeat: type === "h" };
}

/** Four letters as they are, other bytes in hex. @param {Uint8Array} id */
function shownId(id) {
  const text = asText(id);
  return text !== null && /^[!-~]{4}$/.test(text) ? text : `0x${hexOf(id)}`;
}

/** The bytes of an id as it is shown. @param {string} id @throws {RangeError} */
function idBytes(id) {
  const bytes = id.startsWith("0x") && id.length > ID_LENGTH ? parseHex(id) : utf8(id);
  if (bytes.length !== ID_LENGTH) {
    throw new RangeError(gettext("An id has four characters, or 0x and eight hex digits."));
  }
  return bytes;
}

/** Undefined when it is not JSON. @param {Frame} payload */
function jsonIn(payload) {
  try {
    return JSON.parse(typeof payload === "string" ? payload : asText(payload) ?? "");
  } catch {
    return undefined;
  }
}
