// @ts-check
/** The people who are writing in the open room, and that one is writing oneself. */
import { Emitter } from "../lib/emitter.js";

/** Said again at most this often, which is what the server passes on. */
const SAY_EVERY_MS = 3000;
/** Forgotten this long after it was last heard. */
const FORGET_MS = 5500;

/** Events: "change" (names of the others who are writing). */
export class Typing extends Emitter {
  #say;
  #timers;
  #saidAt = 0;
  /** @type {Map<string, any>} name → timer */
  #writing = new Map();

  /**
   * @param {() => void} say tells the server that one is writing
   * @param {{setTimeout: Function, clearTimeout: Function}} [timers]
   */
  constructor(say, timers = globalThis) {
    super();
    this.#say = say;
    this.#timers = timers;
  }

  /** A key was pressed in the composer. */
  typed() {
    const now = Date.now();
    if (now - this.#saidAt < SAY_EVERY_MS) return;
    this.#saidAt = now;
    this.#say();
  }

  /** What one was writing is sent: the next word is news at once. */
  done() {
    this.#saidAt = 0;
  }

  /** @param {string[]} names @param {string} myName */
  hear(names, myName) {
    for (const name of names.filter((each) => each !== myName)) {
      this.#timers.clearTimeout(this.#writing.get(name));
      this.#writing.set(
        name,
        this.#timers.setTimeout(() => this.forget(name), FORGET_MS),
      );
    }
    this.#changed();
  }

  /** @param {string} name */
  forget(name) {
    this.#timers.clearTimeout(this.#writing.get(name));
    if (this.#writing.delete(name)) this.#changed();
  }

  clear() {
    for (const timer of this.#writing.values()) this.#timers.clearTimeout(timer);
    this.#writing.clear();
    this.#changed();
  }

  #changed() {
    this.emit("change", [...this.#writing.keys()]);
  }
}
