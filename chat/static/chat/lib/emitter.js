// @ts-check

/** Named events with any number of listeners; a failing listener does not hold the others. */
export class Emitter {
  /** @type {Map<string, Array<(...args: any[]) => void>>} */
  #listeners = new Map();

  /** @param {string} name @param {(...args: any[]) => void} listener */
  on(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return this;
  }

  /** @param {string} name @param {...any} args */
  emit(name, ...args) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(...args);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
