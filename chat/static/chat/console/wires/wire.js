// @ts-check
/**
 * What the console needs to know of a wire; an object of it belongs to one connection.
 *
 * @typedef {string|Uint8Array} Frame a text or a binary WebSocket message
 *
 * @typedef {object} Reading one message of a frame, as it is shown
 * @property {Array<[string, string]>} fields label and value, in the order of the wire
 * @property {Frame|null} payload
 * @property {string|null} note what a person should know about it
 * @property {boolean} isHeartbeat
 *
 * @typedef {object} Draft what the composer was told to send
 * @property {string} kind a key of `KINDS` in gotalk.js
 * @property {string} name operation or notification
 * @property {string} id of the request that a part, an end or a cancellation belongs to
 * @property {number} opcode
 * @property {Frame} payload
 */

/** @param {Partial<Reading>} reading @returns {Reading} */
export const reading = (reading) => ({ fields: [], payload: null, note: null, isHeartbeat: false, ...reading });

/** A wire without anything of its own: each kind overrides what it has. */
export class Wire {
  /** Milliseconds between heartbeats; 0 sends none. */
  heartbeatMs = 0;

  /** What is sent as soon as the connection is open. @returns {Frame[]} */
  greeting() {
    return [];
  }

  /** What this side asks by itself, after a frame was received. @returns {Frame[]} */
  questions() {
    return [];
  }

  /** @returns {Frame[]} */
  heartbeat() {
    return [];
  }

  /** The frames that carry a message. @param {Draft} draft @returns {Frame[]} @throws {RangeError} */
  write(draft) {
    return [draft.payload];
  }

  /** The messages of a frame that was sent. @param {Frame} frame @returns {Reading[]} */
  readSent(frame) {
    return [reading({ payload: frame })];
  }

  /** The messages of a frame that arrived. @param {Frame} frame @returns {Reading[]} */
  readReceived(frame) {
    return this.readSent(frame);
  }
}
