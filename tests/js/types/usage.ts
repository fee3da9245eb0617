/* Everything of the public API, used as its comments say; what must not type-check says so. */
import type {
  BufferStreamHandler,
  ConnectionError,
  Gotalk,
  Handlers,
  ReceivedPayload,
  RequestError,
  Socket,
  Stream,
  StreamHandler,
} from "../../../rpc/contrib/django/static/rpc/gotalk";

interface Greeting {
  greeting: string;
}

/** Fails unless `value` has exactly the type `Expected`. */
function exactly<Expected>() {
  return <Actual>(
    value: Actual,
    ..._same: Same<Actual, Expected> extends true ? [] : ["another type"]
  ) => value;
}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export function connections() {
  const sock: Socket = gotalk.connection();
  gotalk.connection("/gotalk/", gotalk.Handlers(), gotalk.protocol.text);
  gotalk.open("ws://127.0.0.1:8000/gotalk/", (error, opened) => [error?.message, opened?.address()]);
  gotalk.open((error) => error);
  gotalk.connect("/gotalk/");
  const own = new gotalk.Sock(gotalk.defaultHandlers);
  own.heartbeatInterval = own.livenessTimeout = own.connectTimeout = 1000;
  own.requestTimeout = own.streamTimeout = own.retryLimit = own.sendBufferLimit = 0;
  own.open().openKeepAlive("/gotalk/").reconnectIn(500).end();
  own.adopt(new WebSocket("ws://127.0.0.1/"));
  own.handshake();
  own.startReading();
  exactly<string | null>()(own.address());
  exactly<Set<string>>()(own.features);
  exactly<boolean | undefined>()(own.keepalive?.isConnected);
  // @ts-expect-error what the peer announced is not ours to say
  own.features = new Set();
  // @ts-expect-error milliseconds are a number
  own.requestTimeout = "30 s";
  // @ts-expect-error an address is no number
  gotalk.connection(8000);
  // @ts-expect-error no such method
  sock.disconnect();
  gotalk.developmentMode = true;
  gotalk.defaultResponderAddress = "/gotalk/";
  // @ts-expect-error cannot be changed
  gotalk.version = "2";
}

export function preparations(token: string) {
  gotalk.connection({ address: "/gotalk/", token, onConnect: ({ notify }) => notify("here") });
  gotalk.open({ token }, (error, opened) => [error?.message, opened?.address()]);
  const sock = gotalk.Sock().openKeepAlive({
    async onConnect({ request }) {
      const greeting = await request<Greeting>("greet", { name: "Zoé" }, { timeout: 1000 });
      exactly<string>()(greeting.greeting);
    },
  });
  // @ts-expect-error a token is text
  sock.open({ token: 5 });
  // @ts-expect-error no such option
  gotalk.connection({ url: "/gotalk/" });
  // @ts-expect-error a fresh connection has no streams
  gotalk.connection({ onConnect: ({ stream }) => stream("sum") });
}

export function events(sock: Socket) {
  sock
    .on("open", (opened) => exactly<Socket>()(opened))
    .once("close", (error) => exactly<ConnectionError | null>()(error))
    .on("close", (error) => error?.closeCode === 4503 && error.reason)
    .on("heartbeat", ({ time, load }) => time.getTime() + load)
    .on("connecting", ({ attempt }) => attempt.toFixed())
    .on("reconnecting", ({ delayMs, attempt, error }) => [delayMs.toFixed(), attempt, error?.message]);
  const listener = () => {};
  sock.addListener("open", listener).removeListener("open", listener).off("open", listener);
  sock.removeListeners("open");
  sock.removeAllListeners();
  const emitter = gotalk.EventEmitter.mixin({ own: 1 });
  exactly<boolean>()(emitter.emit("anything", emitter.own));
  // @ts-expect-error no such event
  sock.on("message", listener);
  // @ts-expect-error a heartbeat has no sender
  sock.on("heartbeat", ({ sender }) => sender);
}

export async function requests(sock: Socket, signal: AbortSignal) {
  const greeting = await sock.request<Greeting>("greet", { name: "Zoé" });
  exactly<string>()(greeting.greeting);
  await sock.request("greet", { name: "Zoé" }, { timeout: 1000, retries: 0, signal });
  sock.request<Greeting>("greet", { name: "Zoé" }, (error, result) => [error?.message, result?.greeting]);
  sock.request<string[]>("list", (error, rooms) => [error, rooms?.length]);
  exactly<ReceivedPayload>()(await sock.bufferRequest("echo", new Uint8Array(2), { timeout: 0 }));
  sock.bufferRequest("echo", "text", (error, result) => [error, result?.length]);
  exactly<Greeting>()(await sock.requestp<Greeting>("greet"));
  exactly<ReceivedPayload>()(await sock.bufferRequestp("echo", null));
  sock.notify("typing", { room: "jokes" });
  sock.bufferNotify("typing", null);
  sock.sendHeartbeat(0.5);
  // @ts-expect-error an operation is a name
  sock.request(1);
  // @ts-expect-error no such option
  sock.request("greet", null, { retry: 1 });
  // @ts-expect-error raw payloads are text or bytes
  sock.bufferRequest("echo", { a: 1 });
  // @ts-expect-error the name comes first
  sock.notify({ room: "jokes" });
}

export async function errors(sock: Socket) {
  try {
    await sock.request("join-room");
  } catch (error) {
    if (error instanceof gotalk.RequestError) {
      exactly<string | undefined>()(error.code);
      exactly<string | undefined>()(error.field);
      exactly<number | undefined>()(error.retryAfterMs);
    }
  }
  const details = { code: "no_such_room", field: "room", retryAfterMs: 1000 };
  const error: RequestError = new gotalk.RequestError("no such room", details);
  // @ts-expect-error a code is a word
  new gotalk.RequestError("no such room", { code: 404 });
  return error;
}

export async function streams(sock: Socket, signal: AbortSignal) {
  const stream: Stream<number, string> = sock.stream("spell", { signal, timeout: 1000 });
  exactly<void>()(await stream.write(1));
  stream.end();
  exactly<boolean>()(stream.ended);
  for await (const word of stream) exactly<string>()(word);
  stream.cancel();
  stream.cancel(new Error("enough"));
  const sums = sock.stream<number, number>("sum");
  const first = await sums[Symbol.asyncIterator]().next();
  exactly<number>()(first.done ? 0 : first.value);
  const raw = sock.bufferStream("echo", { signal });
  await raw.write("text");
  await raw.write(new Uint8Array(1));
  for await (const part of raw) exactly<Uint8Array>()(part);
  exactly<Stream<string | Uint8Array | ArrayBuffer | ArrayBufferView, Uint8Array>>()(
    sock.stream("echo", { buffer: true }),
  );
  // @ts-expect-error parts are numbers
  stream.write("1");
  // @ts-expect-error retries are for requests
  sock.stream("sum", { retries: 1 });
  // @ts-expect-error bytes are not JSON values
  raw.write({ a: 1 });
  // @ts-expect-error a stream is no promise of a result
  for (const word of stream) word;

  const events = sock.streamRequest("sum");
  events.on("data", (part) => part.length).on("end", (error) => error?.message);
  events.write("1");
  events.end();
  gotalk.StreamRequest(sock, "sum", "!abc").write(null);
  // @ts-expect-error no such event
  events.on("part", () => {});
}

export function handlers() {
  const own: Handlers = gotalk.Handlers();
  own.handleRequest<{ name: string }, Greeting>("greet", ({ name }, result, op) => {
    result.signal.addEventListener("abort", () => op);
    if (name) result({ greeting: `Hello ${name}` });
    else result.error(new gotalk.RequestError("empty name", { code: "empty_name" }));
  });
  own.handleBufferRequest("echo", (payload, result) => result(payload));
  own.handleNotification<string>("username", (name) => name.length);
  own.handleBufferNotification("raw", (payload) => payload.length);
  own.handleStream<number, number>("sum", async function* (parts, op) {
    let total = op.length;
    parts.signal.throwIfAborted();
    for await (const value of parts) yield (total += value);
  });
  own.handleStream<number, number>("count", async (parts) => {
    let count = 0;
    for await (const value of parts) count += value && 1;
    return count;
  });
  own.handleBufferStream("echo", async function* (parts) {
    for await (const part of parts) yield part.subarray(1);
  });
  const named: StreamHandler<number, string> = async function* (parts) {
    for await (const value of parts) yield value.toFixed();
  };
  const bytes: BufferStreamHandler = async () => new Uint8Array(1);
  gotalk.handleStream("named", named);
  gotalk.handleBufferStream("bytes", bytes);
  gotalk.handle("a", (_, result) => result.error("no"));
  gotalk.handleRequest("b", async (value, result) => result(value));
  gotalk.handleBufferRequest("c", (_, result) => result(null));
  gotalk.handleNotification("d", () => {});
  gotalk.handleBufferNotification("e", () => {});
  // @ts-expect-error a handler answers by calling `result`
  own.handleRequest("greet", async ({ name }) => ({ greeting: name }));
  own.handleRequest<null, Greeting>("greet", (_, result) => {
    // @ts-expect-error a result has the type that was named
    result(5);
  });
  // @ts-expect-error its parts are numbers
  own.handleStream<number, number>("sum", async function* (parts) {
    for await (const value of parts) yield `${value}`;
  });
  // @ts-expect-error raw parts are text or bytes
  own.handleBufferStream("echo", async () => ({ a: 1 }));
  // @ts-expect-error no handler
  own.handleStream("sum");
}

export function wire({ protocol, Buf }: Gotalk) {
  exactly<Uint8Array>()(protocol.binary.makeMsg(protocol.MsgTypeNotification, null, "a", 0, 2));
  exactly<string>()(protocol.text.makeHeartbeatMsg(0));
  exactly<number | undefined>()(protocol.binary.parseMsg(new Uint8Array(0))?.size);
  for (const msg of new protocol.Reader().feed("01")) exactly<ReceivedPayload>()(msg.payload);
  exactly<Uint8Array>()(Buf(2));
  exactly<Uint8Array>()(Buf.fromString("é"));
  // @ts-expect-error text codecs take text
  protocol.text.parseMsg(new Uint8Array(0));
}
