// @ts-check
/**
 * Frames of gotalk, read as far as they are. The codec is that of /gotalk/gotalk.js, which the page loads before its
 * modules.
 *
 * @typedef {import("./wire.js").Frame} Frame
 */
import { gettext, interpolate } from "../../lib/i18n.js";
import { asText, hexOf, parseHex, utf8 } from "../bytes.js";
import { reading } from "./wire.js";

export const ID_LENGTH = 4;

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

const protocol = () => /** @type {any} */ (globalThis).gotalk.protocol;
export const codec = () => protocol().binary;

/** What goes one way: cuts frames into messages, and goes on after what is none. */
export class Direction {
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
export function shownId(id) {
  const text = asText(id);
  return text !== null && /^[!-~]{4}$/.test(text) ? text : `0x${hexOf(id)}`;
}

/** The bytes of an id as it is shown. @param {string} id @throws {RangeError} */
export function idBytes(id) {
  const bytes = id.startsWith("0x") && id.length > ID_LENGTH ? parseHex(id) : utf8(id);
  if (bytes.length !== ID_LENGTH) {
    throw new RangeError(gettext("An id has four characters, or 0x and eight hex digits."));
  }
  return bytes;
}

/** Undefined when it is not JSON. @param {Frame} payload */
export function jsonIn(payload) {
  try {
    return JSON.parse(typeof payload === "string" ? payload : (asText(payload) ?? ""));
  } catch {
    return undefined;
  }
}
