/* A peer that others call through the site, and that calls them: the same as peer.py, in Node and browsers. */

const TEXT = "群发 🎉 \0";

/** Counts by name, and waits for what was not counted yet. */
class Tally {
  #counts = new Map();
  #waiting = new Map();

  add(name) {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) {
      this.#waiting.delete(name);
      waiting();
    } else {
      this.#counts.set(name, (this.#counts.get(name) || 0) + 1);
    }
  }

  /** True once `name` was added; takes all that was. */
  async take(name) {
    if (!this.#counts.delete(name)) await new Promise((resolve) => this.#waiting.set(name, resolve));
    return true;
  }
}

/** Connects under a name; returns the socket. */
export async function arrive(gotalk, address, name) {
  const heard = new Tally();
  const cancelled = new Tally();
  const handlers = gotalk.Handlers();
  const answer = (op, handle) =>
    handlers.handleRequest(op, async (params, result) => result(await handle(params, result)));

  answer("greet", ({ name }) => ({ greeting: `Hello ${name}` }));
  handlers.handleNotification("told", (by) => heard.add(by));
  answer("has-heard", (by) => heard.take(by));
  handlers.handleRequest("refuse", (_, result) =>
    result.error(new gotalk.RequestError("I am a teapot", { code: "teapot", field: "pot" })),
  );
  handlers.handleRequest("never", (by, result) =>
    result.signal.addEventListener("abort", () => cancelled.add(by)),
  );
  answer("was-cancelled", (by) => cancelled.take(by));
  handlers.handleStream("totals", async function* (parts) {
    let total = 0;
    for await (const part of parts) {
      if (part < 0) throw new gotalk.RequestError("below zero", { code: "negative" });
      yield (total += part);
    }
  });
  handlers.handleStream("endless", async function* (parts) {
    const { value: by } = await parts[Symbol.asyncIterator]().next();
    try {
      for (let number = 0; ; number++) yield number;
    } finally {
      cancelled.add(by);
    }
  });
  answer("drive", ({ me, to }) => drive(sock, me, to));

  const sock = gotalk.connection(address, handlers);
  await sock.request("here-is", name);
  return sock;
}

/** Calls the peer `to` in every way; returns what came of it. */
async function drive(sock, me, to) {
  const relay = (operation, params, options) => sock.request("relay", { to, operation, params }, options);
  const outcome = {};
  outcome.request = await relay("greet", { name: TEXT });
  await sock.request("relay-notification", { to, name: "told", params: me });
  outcome.notification = await relay("has-heard", me);
  await relay("refuse").catch(({ message, code, field }) => (outcome.error = [message, code, field]));
  const controller = new AbortController();
  const waiting = relay("never", me, { signal: controller.signal }).catch(() => {});
  await relay("greet", { name: "" });
  controller.abort();
  await waiting;
  outcome.cancel = await relay("was-cancelled", me);
  outcome.stream = await totals(sock, to, [1, 2, 3]);
  outcome["stream error"] = await totals(sock, to, [1, -1]);
  const stream = sock.stream("relay-stream");
  await stream.write({ to, operation: "endless" });
  await stream.write(me);
  for await (const number of stream) {
    outcome["left early"] = number;
    if (number === 39) break;
  }
  outcome["stream cancel"] = await relay("was-cancelled", me);
  return outcome;
}

async function totals(sock, to, numbers) {
  const results = [];
  const stream = sock.stream("relay-stream");
  await stream.write({ to, operation: "totals" });
  for (const number of numbers) await stream.write(number);
  stream.end();
  try {
    for await (const total of stream) results.push(total);
  } catch (error) {
    results.push(error.code);
  }
  return results;
}
