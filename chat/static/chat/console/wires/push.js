// @ts-check
/** The push door: binary frames of a four-byte big-endian opcode and a payload. */
import { gettext, interpolate } from "../../lib/i18n.js";
import { joined, utf8 } from "../bytes.js";
import { Wire, reading } from "./wire.js";

const OPCODE_BYTES = 4;
const MAX_OPCODE = 0xffffffff;
const HEARTBEAT = 100;

/**
 * Opcode → what it is called, and what a client puts behind it (null: only the server sends it).
 * @type {Map<number, {name: () => string, payload: (() => string)|null}>}
 */
export const OPCODES = new Map([
  [HEARTBEAT, { name: () => gettext("heartbeat"), payload: () => gettext("anything") }],
  [101, { name: () => gettext("log in"), payload: () => gettext("a token") }],
  [110, { name: () => gettext("add friend"), payload: () => gettext("a name, without quotes") }],
  [111, { name: () => gettext("get info"), payload: () => gettext("nothing, or a name") }],
  [112, { name: () => gettext("list rooms"), payload: () => gettext("nothing") }],
  [113, { name: () => gettext("enter room"), payload: () => `${gettext("a name, or JSON:")} {"room", "since"?}` }],
  [114, { name: () => gettext("leave room"), payload: () => gettext("a name, without quotes") }],
  [115, { name: () => gettext("send"), payload: () => 'JSON: {"room", "body", "client_id"?}' }],
  [116, { name: () => gettext("message"), payload: null }],
  [117, { name: () => gettext("contact"), payload: null }],
  [118, { name: () => gettext("notice"), payload: null }],
  [119, { name: () => gettext("moderated"), payload: null }],
  [199, { name: () => gettext("error"), payload: null }],
]);

export class PushWire extends Wire {
  /** @param {import("./wire.js").Draft} draft */
  write({ opcode, payload }) {
    if (!Number.isInteger(opcode) || opcode < 0 || opcode > MAX_OPCODE) {
      const range = gettext("An opcode is a whole number from 0 to %(max)s.");
      throw new RangeError(interpolate(range, { max: MAX_OPCODE }));
    }
    const head = new Uint8Array(OPCODE_BYTES);
    new DataView(head.buffer).setUint32(0, opcode);
    return [joined([head, typeof payload === "string" ? utf8(payload) : payload])];
  }

  /** @param {import("./wire.js").Frame} frame */
  readSent(frame) {
    if (typeof frame === "string") {
      return [reading({ payload: frame, note: gettext("A text frame: this door accepts binary frames only.") })];
    }
    if (frame.length < OPCODE_BYTES) {
      return [reading({ payload: frame, note: gettext("Too short: an opcode has four bytes.") })];
    }
    const opcode = new DataView(frame.buffer, frame.byteOffset).getUint32(0);
    const name = OPCODES.get(opcode)?.name() ?? gettext("unknown");
    const payload = frame.subarray(OPCODE_BYTES);
    return [
      reading({
        fields: [
          [gettext("opcode"), `${opcode} (${name})`],
          [gettext("size"), String(payload.length)],
        ],
        payload,
        isHeartbeat: opcode === HEARTBEAT,
      }),
    ];
  }
}
