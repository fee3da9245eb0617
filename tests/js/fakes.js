/* What gotalk.js meets in a browser, in the hands of a test: the clock, the network, the page. */
import { runInThisContext } from "node:vm";
import { gotalkScript } from "./gotalk_script.js";

const SCRIPT = gotalkScript();
const realSetImmediate = setImmediate;

/** Lets promises settle. */
export const settled = () => new Promise((resolve) => realSetImmediate(resolve));

/** The bytes of a text, as a binary WebSocket message carries them. */
export function binary(text) {
  return new TextEncoder().encode(text).buffer;
}

/** The bytes that a hex string names. */
export function unhex(hex) {
  return Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
}

/** Time that passes only when the test says so. Mocked Dates need Node 20, and Debian 12 has 18. */
class Clock {
  #now = 1_700_000_000_000;
  #timers = new Map();
  #lastId = 0;

  install() {
    globalThis.setTimeout = (callback, delay = 0) => {
      this.#timers.set(++this.#lastId, { callback, due: this.#now + Math.max(delay, 0) });
      return this.#lastId;
    };
    globalThis.clearTimeout = (id) => this.#timers.delete(id);
    Date.now = () => this.#now;
  }

  /** Timers that wait. */
  get pending() {
    return this.#timers.size;
  }

  /** Passes time; timers fire when they are due, promises settle in between. */
  async advance(ms) {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const [id, timer] = [...this.#timers].sort((a, b) => a[1].due - b[1].due)[0] || [];
      if (timer === undefined || timer.due > end) break;
      this.#now = Math.max(this.#now, timer.due);
      this.#timers.delete(id);
      timer.callback();
      await settled();
    }
    this.#now = end;
  }

  /** The machine sleeps: time passes without a timer. */
  sleep(ms) {
    this.#now += ms;
  }
}

/** A WebSocket whose server is the test. */
export class FakeWebSocket {
  static OPEN = 1;
  static made = [];

  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  closedWith = null;

  constructor(url) {
    if (url.includes("forbidden")) throw new Error("SecurityError");
    this.url = url;
    FakeWebSocket.made.push(this);
  }

  static get last() {
    return FakeWebSocket.made[FakeWebSocket.made.length - 1];
  }

  send(data) {
    if (this.readyState === 0) throw new Error("InvalidStateError");
    if (this.readyState === 1) this.sent.push(typeof data === "string" ? data : new Uint8Array(data));
  }

  close(code = 1005) {
    if (this.readyState > 1) return;
    this.readyState = 2;
    this.closedWith = code;
  }

  /** The network accepts the connection. */
  accept() {
    this.readyState = 1;
    this.onopen?.({});
    return this;
  }

  /** The connection ends: by refusal, by the server's close frame, or by the network. */
  end(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
    return this;
  }

  /** The server sends WebSocket messages: strings are binary here, `{ text }` is a text message. */
  deliver(...frames) {
    for (const frame of frames) {
      const data = typeof frame === "string" ? binary(frame) : frame.text === undefined ? frame : frame.text;
      this.onmessage?.({ data });
    }
    return this;
  }

  /** The server says that it is one of ours; `without` names what it lacks. */
  hello({ without = [], window = 16 } = {}) {
    const all = ["joined", "retry", "errors", "cancel", "streams", "ops", "flow", "close"];
    const features = all.filter((feature) => !without.includes(feature));
    const payload = JSON.stringify({ agent: "hubtalk/test", features, window });
    return this.deliver(`n006$hello${hexSize(payload)}`, payload);
  }

  /** Messages sent so far, as text; what was sent as text is marked. Forgets them. */
  take() {
    const frames = this.sent.map((data) =>
      typeof data === "string" ? { text: data } : new TextDecoder().decode(data),
    );
    this.sent = [];
    return frames;
  }
}

/** The eight digits for a payload. */
export function hexSize(payload) {
  return new TextEncoder().encode(payload).length.toString(16).padStart(8, "0");
}

/** Loads gotalk.js into a page. */
export function loadGotalk({
  script = "http://chat.example:8000/gotalk/gotalk.js",
  page = "http://chat.example:8000/room#jokes",
} = {}) {
  const clock = new Clock();
  clock.install();
  const windowListeners = new EventTarget();
  FakeWebSocket.made = [];
  globalThis.WebSocket = FakeWebSocket;
  globalThis.document = script === null ? undefined : { currentScript: { src: script } };
  globalThis.location = page === null ? undefined : new URL(page);
  globalThis.addEventListener = (...args) => windowListeners.addEventListener(...args);
  globalThis.removeEventListener = (...args) => windowListeners.removeEventListener(...args);
  runInThisContext(SCRIPT, { filename: "gotalk.js" });
  return {
    gotalk: globalThis.gotalk,
    clock,
    /** The browser notices that there is a network again. */
    goOnline: () => windowListeners.dispatchEvent(new Event("online")),
  };
}

/** A socket connected to a stock server, which never says hello. What was sent while opening is forgotten. */
export function connectStock(options) {
  const world = loadGotalk(options);
  const sock = world.gotalk.connection();
  const ws = FakeWebSocket.last.accept().deliver("01");
  ws.take();
  return { ...world, sock, ws };
}

/** A socket connected to one of our servers; `hello` as FakeWebSocket.hello takes it. */
export function connectOurs({ hello, ...options } = {}) {
  const world = connectStock(options);
  world.ws.hello(hello);
  return world;
}

/** Two sockets that talk to each other, each with handlers of its own. */
export async function connectPair() {
  const world = loadGotalk();
  const sockets = [0, 1].map(() => {
    const ws = Object.assign(new FakeWebSocket("ws://chat.example/"), { readyState: 1 });
    const sock = world.gotalk.Sock(world.gotalk.Handlers());
    sock.adopt(ws);
    return sock;
  });
  for (const [sock, other] of [sockets, [...sockets].reverse()]) {
    const { ws } = other;
    sock.ws.send = (data) => {
      const copy = typeof data === "string" ? data : new Uint8Array(data).buffer;
      queueMicrotask(() => ws.onmessage?.({ data: copy }));
    };
  }
  for (const sock of sockets) sock.handshake();
  for (const sock of sockets) sock.startReading();
  await settled();
  return { ...world, sockets };
}

/** Whether a promise is settled, and how. */
export function watch(promise) {
  const seen = { state: "waiting" };
  promise.then(
    (value) => Object.assign(seen, { state: "resolved", value }),
    (error) => Object.assign(seen, { state: "rejected", error }),
  );
  return seen;
}

/** Reads parts to their end: `values` so far, and how it ended. */
export function readAll(parts) {
  const seen = { values: [], state: "reading" };
  (async () => {
    for await (const value of parts) seen.values.push(value);
  })().then(
    () => (seen.state = "ended"),
    (error) => Object.assign(seen, { state: "failed", error }),
  );
  return seen;
}

/** Collects what is emitted. */
export function record(emitter, ...types) {
  const events = [];
  for (const type of types) emitter.on(type, (value) => events.push([type, value]));
  return events;
}

/** Silences console.error for one test and collects what it was given. */
export function expectReports(t) {
  return t.mock.method(console, "error", () => {}).mock;
}
