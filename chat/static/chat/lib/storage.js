// @ts-check
/**
 * What the browser remembers: JSON values under one prefix. Storage may be full, switched off or hold what an
 * older version wrote; the page works without it, so nothing here throws.
 */

const PREFIX = "hubtalk:";

export class Memory {
  #backend;

  /** @param {Pick<Storage, "getItem"|"setItem"|"removeItem"|"key"|"length">|null} backend */
  constructor(backend) {
    this.#backend = backend;
  }

  /** @param {string} key @returns {any} null when there is nothing */
  get(key) {
    try {
      return JSON.parse(this.#backend?.getItem(PREFIX + key) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {any} value null forgets; returns whether it is kept */
  set(key, value) {
    try {
      if (value === null) this.#backend?.removeItem(PREFIX + key);
      else this.#backend?.setItem(PREFIX + key, JSON.stringify(value));
      return this.#backend !== null;
    } catch {
      return false;
    }
  }

  /** The keys that begin with `start`. @param {string} start @returns {string[]} */
  keys(start) {
    const found = [];
    try {
      for (let i = 0; i < (this.#backend?.length ?? 0); i++) {
        const key = this.#backend?.key(i);
        if (key?.startsWith(PREFIX + start)) found.push(key.slice(PREFIX.length));
      }
    } catch {
      // Access may be denied at any time; then there is nothing to find.
    }
    return found;
  }

  /** Our key in a browser's `storage` event, or null. @param {string|null} key */
  static ownKey(key) {
    return key?.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;
  }
}

/** The browser's storage, or none where it is denied. */
export function browserMemory() {
  try {
    return new Memory(globalThis.localStorage);
  } catch {
    return new Memory(null);
  }
}
