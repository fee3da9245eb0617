/*
 * What gotalk.js and a real server do together. Loads in Node and in browsers; the runner brings `gotalk`
 * and the address of a server with the operations that are named here. Each function throws when it fails.
 */

function equal(actual, expected) {
  const [seen, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  if (seen !== wanted) throw new Error(`${shorten(seen)} instead of ${shorten(wanted)}`);
}

const shorten = (text) => (text && text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** The error that a promise rejects with. */
async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing failed");
}

/** The values of a stream to its end. */
async function collect(parts) {
  const values = [];
  for await (const value of parts) values.push(value);
  return values;
}

/** Asks again until the answer is `expected`; the peer may take its time to notice. */
async function eventually(ask, expected) {
  for (let i = 0; i < 50; i++) {
    if ((await ask()) === expected) return;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  equal(await ask(), expected);
}

/** Runs `action(sock, handlers)` with a connection of its own. */
async function connected(gotalk, address, action) {
  const handlers = gotalk.Handlers();
  const sock = gotalk.connection(address, handlers);
  try {
    await action(sock, handlers);
  } finally {
    sock.end();
    sock.end();
  }
}

/** Each gets a connection of its own, and the handlers that answer on it. */
const actions = {
  async "a request: is answered with its value"(sock) {
    equal(await sock.request("echo", { a: [1, "b", null] }), { a: [1, "b", null] });
  },

  async "many requests at one time: each gets its own answer"(sock) {
    const numbers = Array.from({ length: 50 }, (_, i) => i);
    equal(await Promise.all(numbers.map((i) => sock.request("echo", i))), numbers);
  },

  async "a request without a value: has an empty result"(sock) {
    equal(await sock.request("echo"), null);
  },

  async "bytes: come back as they are"(sock) {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    equal([...(await sock.bufferRequest("echo", bytes))], [...bytes]);
  },

  async "emoji, NUL and combining characters: are counted in bytes"(sock) {
    const text = "😀👩‍👩‍👧‍👦 大家好 a\u0000b e\u0301 \u{1f9d1}\u{1f3fd}";
    equal(await sock.request("echo", { [text]: text }), { [text]: text });
    equal(await sock.request("echo", "after"), "after");
  },

  async "500 KB: go there and back"(sock) {
    const text = "0123456789".repeat(50_000);
    equal(await sock.request("echo", text), text);
  },

  async "an error: has text and code"(sock) {
    const error = await failure(sock.request("fail", { code: "no_such_room", text: "no such room" }));
    equal([error.message, error.code], ["no such room", "no_such_room"]);
  },

  async "an unknown operation: fails with its code"(sock) {
    equal((await failure(sock.request("no-such-operation"))).code, "unknown_operation");
  },

  async "a timeout: rejects, and the connection goes on"(sock) {
    equal((await failure(sock.request("hang", null, { timeout: 200 }))).code, "timeout");
    equal(await sock.request("echo", 1), 1);
  },

  async "a signal: gives a request up, and the connection goes on"(sock) {
    const controller = new AbortController();
    const request = failure(sock.request("hang", null, { signal: controller.signal }));
    await sock.request("echo", 1);
    controller.abort();
    equal((await request).name, "AbortError");
    equal(await sock.request("echo", 2), 2);
  },

  async "a retry result: is followed after its wait"(sock) {
    equal(await sock.request("busy-once", { key: `${Math.random()}` }), "done");
  },

  async "a retry result, and no retries: rejects and says when"(sock) {
    const key = `${Math.random()}`;
    equal((await failure(sock.request("busy-once", { key }, { retries: 0 }))).retryAfterMs, 250);
  },

  async "a notification: is told, and the connection goes on"(sock) {
    sock.notify("nobody-listens", { a: 1 });
    equal(await sock.request("echo", 1), 1);
  },

  async "a notification of the server: reaches its handler"(sock, handlers) {
    const told = new Promise((resolve) => handlers.handleNotification("news", resolve));
    equal(await sock.request("notify-me", { name: "news", params: { a: "群" } }), null);
    equal(await told, { a: "群" });
  },

  async "a request of the server: is answered by its handler"(sock, handlers) {
    handlers.handleRequest("double", (value, result) => result(value * 2));
    equal(await sock.request("call-me", { operation: "double", params: 21 }), 42);
  },

  async "a stream: the results keep pace with the parts"(sock) {
    const stream = sock.stream("sum");
    const totals = stream[Symbol.asyncIterator]();
    for (const [value, total] of [
      [1, 1],
      [2, 3],
      [3, 6],
    ]) {
      await stream.write(value);
      equal((await totals.next()).value, total);
    }
    stream.end();
    equal((await totals.next()).done, true);
  },

  async "a stream without a part: has a result without one"(sock) {
    const stream = sock.stream("sum");
    stream.end();
    equal(await collect(stream), []);
  },

  async "parts of bytes: come back as they are"(sock) {
    const stream = sock.bufferStream("echo-parts");
    const sent = [[0, 255, 10], [128], [240, 159, 152, 128]];
    for (const part of sent) stream.write(Uint8Array.from(part));
    stream.end();
    equal(
      (await collect(stream)).map((part) => [...part]),
      sent,
    );
  },

  async "large parts, more than a window of them: all come back"(sock) {
    const stream = sock.bufferStream("echo-parts");
    const writing = (async () => {
      for (let i = 0; i < 8; i++) await stream.write(new Uint8Array(500_000).fill(i));
      stream.end();
    })();
    const seen = (await collect(stream)).map((part) => [part.length, part[0], part[499_999]]);
    equal(
      seen,
      Array.from({ length: 8 }, (_, i) => [500_000, i, i]),
    );
    await writing;
  },

  async "300 parts both ways, a reader that pauses: none is lost"(sock) {
    const stream = sock.stream("sum");
    const writing = (async () => {
      for (let i = 0; i < 300; i++) await stream.write(1);
      stream.end();
    })();
    let last = 0;
    for await (const total of stream) {
      equal(total, last + 1);
      last = total;
      if (total % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    equal(last, 300);
    await writing;
  },

  async "a single request that is answered in parts: resolves with all of them"(sock) {
    const bytes = await sock.bufferRequest("count", JSON.stringify({ to: 40 }));
    const text = typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);
    equal(text, Array.from({ length: 40 }, (_, i) => i + 1).join(""));
  },

  async "a stream of one part: counts to 100"(sock) {
    const stream = sock.stream("count");
    stream.write({ to: 100 });
    stream.end();
    equal(await collect(stream), Array.from({ length: 100 }, (_, i) => i + 1));
  },

  async "a loop left early: the connection goes on"(sock) {
    const stream = sock.stream("count");
    stream.write({ to: 100_000 });
    stream.end();
    for await (const value of stream) if (value === 3) break;
    equal(await sock.request("echo", 1), 1);
  },

  async "an answer before the request's end: the writer is let go"(sock) {
    const stream = sock.stream("take-two");
    for (let i = 1; i <= 100 && !stream.ended; i++) await stream.write(i);
    equal(await collect(stream), [[1, 2]]);
  },

  async "an error in the midst: comes behind the part before it"(sock) {
    const stream = sock.stream("fail-midway");
    stream.end();
    const values = [];
    const error = await failure(
      (async () => {
        for await (const value of stream) values.push(value);
      })(),
    );
    equal([values.length, error.code], [1, "midway"]);
  },

  async "an unknown stream operation: fails with its code"(sock) {
    const stream = sock.stream("no-such-operation");
    stream.end();
    equal((await failure(collect(stream))).code, "unknown_operation");
  },

  async "a stream of a plain operation: is no stream operation"(sock) {
    const stream = sock.stream("echo");
    stream.end();
    equal((await failure(collect(stream))).code, "not_a_stream");
  },

  async "cancel: ends the server's handler"(sock) {
    const stream = sock.stream("never");
    await stream.write(1);
    // A handler that was cancelled before its first step could not tell.
    await sock.request("echo");
    stream.cancel();
    equal((await failure(collect(stream))).code, "cancelled");
    await eventually(() => sock.request("was-cancelled"), true);
  },

  async "a stream's signal: ends it"(sock) {
    const controller = new AbortController();
    const stream = sock.stream("never", { signal: controller.signal });
    const reading = failure(collect(stream));
    await stream.write(1);
    controller.abort();
    equal((await reading).name, "AbortError");
    equal(await sock.request("echo", 1), 1);
  },

  async "a stream's timeout: ends it"(sock) {
    const stream = sock.stream("never", { timeout: 200 });
    stream.write(1);
    equal((await failure(collect(stream))).code, "timeout");
    equal(await sock.request("echo", 1), 1);
  },

  async "a stream of the server: is answered by a generator"(sock, handlers) {
    handlers.handleStream("sums", async function* (parts) {
      let total = 0;
      for await (const value of parts) yield (total += value);
    });
    const parts = Array.from({ length: 100 }, () => 1);
    equal(
      await sock.request("stream-me", { operation: "sums", parts }),
      parts.map((_, i) => i + 1),
    );
  },

  async "a stream of the server: is answered with one result"(sock, handlers) {
    handlers.handleStream("all", async (parts) => collect(parts));
    equal(await sock.request("stream-me", { operation: "all", parts: [1, "b", null] }), [[1, "b", null]]);
  },
};

/** Functions of (gotalk, address), each named by its behaviour. */
export const behaviours = Object.entries(actions).map(([name, action]) => {
  const run = (gotalk, address) => connected(gotalk, address, action);
  return Object.defineProperty(run, "name", { value: name });
});
