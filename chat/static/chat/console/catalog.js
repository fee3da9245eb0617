// @ts-check
/** What a server answered to `$ops`: its operations and notifications, with JSON Schemas of what they take. */

/**
 * @typedef {object} Operation
 * @property {"request"|"stream"} [kind] absent on notifications
 * @property {string} [doc]
 * @property {any} params
 */
export class Catalog {
  /** What the schemas refer to. */
  defs;
  /** @type {Map<string, Operation>} */
  #operations;
  /** @type {Map<string, Operation>} */
  #notifications;

  /** @param {any} answer nothing is known where it is null */
  constructor(answer) {
    this.#operations = new Map(Object.entries(Object(answer?.operations)));
    this.#notifications = new Map(Object.entries(Object(answer?.notifications)));
    this.defs = Object(answer?.$defs);
  }

  /** What can be chosen for this kind of message. @param {string} kind @returns {Array<[string, Operation]>} */
  offered(kind) {
    if (kind === "notification") return [...this.#notifications];
    return [...this.#operations].filter(([, operation]) => operation.kind === kind);
  }

  /** @param {string} kind @param {string} name @returns {Operation|undefined} */
  find(kind, name) {
    return (kind === "notification" ? this.#notifications : this.#operations).get(name);
  }
}

/**
 * What a form's value is on the wire: raw text as it is, nothing as nothing, the rest as JSON.
 * @param {any} value @param {boolean} isRaw @returns {string}
 */
export function payloadOf(value, isRaw) {
  if (value === undefined) return "";
  return isRaw ? String(value) : JSON.stringify(value);
}
