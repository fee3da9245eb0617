import { gotalk } from "./page.js";

export function warnDeveloper(...words) {
  if (gotalk.developmentMode) console.warn("[gotalk]", ...words);
}

export function report(where, error) {
  console.error(`[gotalk] ${where}:`, error);
}

/** Runs code of the page, at once or to the end of its promise. */
export function guard(where, action, onFailure = (error) => report(where, error)) {
  try {
    const outcome = action();
    if (outcome && typeof outcome.then === "function") outcome.then(undefined, onFailure);
  } catch (error) {
    onFailure(error);
  }
}

const registries = new WeakMap();

function listenersOf(emitter) {
  let registry = registries.get(emitter);
  if (registry === undefined) registries.set(emitter, (registry = new Map()));
  return registry;
}

/** Named events with any number of listeners, called in the order of their registration. */
export class EventEmitter {
  /** Gives any object the methods of an emitter. */
  static mixin(object) {
    for (const name of Object.getOwnPropertyNames(EventEmitter.prototype)) {
      if (name === "constructor" || name in object) continue;
      Object.defineProperty(object, name, {
        value: EventEmitter.prototype[name],
        configurable: true,
        writable: true,
      });
    }
    return object;
  }

  addListener(type, listener) {
    if (typeof listener !== "function") throw new TypeError("a listener is a function");
    const registry = listenersOf(this);
    registry.set(type, [...(registry.get(type) || []), listener]);
    return this;
  }

  on(type, listener) {
    return this.addListener(type, listener);
  }

  once(type, listener) {
    const fire = (...args) => {
      this.removeListener(type, fire);
      return listener.apply(this, args);
    };
    fire.listener = listener;
    return this.addListener(type, fire);
  }

  removeListener(type, listener) {
    const kept = this.listeners(type).filter((each) => each !== listener && each.listener !== listener);
    listenersOf(this).set(type, kept);
    return this;
  }

  off(type, listener) {
    return this.removeListener(type, listener);
  }

  removeListeners(type) {
    listenersOf(this).delete(type);
  }

  removeAllListeners(type) {
    if (type === undefined) registries.delete(this);
    else this.removeListeners(type);
  }

  listeners(type) {
    return listenersOf(this).get(type) || [];
  }

  /** Calls the listeners; one that fails does not hold the others. Returns whether there were any. */
  emit(type, ...args) {
    const listeners = this.listeners(type);
    for (const listener of listeners) guard(`listener of "${type}"`, () => listener.apply(this, args));
    return listeners.length > 0;
  }
}
