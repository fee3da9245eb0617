/*
 * Types of gotalk.js: the global `gotalk`, and types to import:
 *
 *   import type { Socket, Stream } from "./gotalk";
 *
 * The script itself is classic and exports nothing; a page loads it with a script element.
 */

declare global {
  /** gotalk v1 in the browser. */
  var gotalk: Gotalk;
}

// ---- Payloads and errors ---------------------------------------------------------------------------------

/** Raw data to send. Text goes as UTF-8. */
export type Payload = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** Raw data that arrived: a string if the WebSocket message was text, else bytes. */
export type ReceivedPayload = string | Uint8Array;

/**
 * A request or a stream failed.
 *
 * Codes of this script: "timeout", "closed" (there is no connection, or it was lost), "cancelled",
 * "aborted", "unsupported" (the peer does not support streams), "too_large" (a result over 16 MiB), "too_fast"
 * (the peer sent more parts than it was granted), "bad_params" (a part is not JSON), "ended" (a part
 * was written after the end). All other codes come from the peer.
 */
export interface RequestError extends Error {
  /** Undefined when the peer gives no codes, as stock gotalk peers do. */
  code?: string;
  /** The parameter that is wrong, as a path such as "message.body". */
  field?: string;
  /** When the same request may succeed. */
  retryAfterMs?: number;
}

/** What the peer learns of an error. */
export interface ErrorDetails {
  code?: string;
  field?: string;
  /** Asks the peer to repeat the request after this time; a whole number of milliseconds. */
  retryAfterMs?: number;
}

export interface RequestErrorConstructor {
  new (message: string, details?: ErrorDetails): RequestError;
  readonly prototype: RequestError;
}

/** Why a connection ended or could not be opened. A signal's own reason may take its place. */
export interface ConnectionError extends Error {
  /** The close code of the WebSocket. */
  closeCode?: number;
  /** The words that the server gave with it. */
  reason?: string;
  /** Set when a peer broke the protocol, or was silent; then `code` is one of `protocol.Error*`. */
  isGotalkProtocolError?: true;
  code?: number;
}

// ---- Options ---------------------------------------------------------------------------------------------

export interface RequestOptions {
  /** Milliseconds until the request is given up; 0 waits for ever. Default: `Socket.requestTimeout`. */
  timeout?: number;
  /** How often the request is repeated when the peer asks for it. Default: `Socket.retryLimit`. */
  retries?: number;
  /** Gives the request up; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface StreamOptions {
  /** Milliseconds without a part sent, received or read; 0 waits for ever. Default: the socket's. */
  timeout?: number;
  /** Gives the stream up; reader and writer then fail with the signal's reason. */
  signal?: AbortSignal;
}

/** Where to connect, and what comes first on each connection: requests of the page wait until it is done. */
export interface ConnectionOptions {
  /** Default: `gotalk.defaultResponderAddress`. */
  address?: string;
  /**
   * Who this is: goes to the operation `login`, before anything else. If it is refused, the socket ends, and
   * "close" has an error with the code 4401 and the server's words.
   */
  token?: string;
  /**
   * Awaited behind the login, for as long as a request may take: asks for what belongs to a connection, and for
   * what the page missed. If it fails, the connection is closed, and a socket that is kept alive tries again.
   */
  onConnect?: (connection: FreshConnection) => unknown;
}

/** A connection that is being prepared. What is sent through it leaves before what waits in the socket. */
export interface FreshConnection {
  /** As `Socket.request`, but fails if the connection is lost. */
  request<Value = any>(op: string, value?: unknown, options?: RequestOptions): Promise<Value>;
  /** As `Socket.notify`, but throws if the connection is lost. */
  notify(name: string, value?: unknown): void;
}

/** Older style of answer; `error` is null when all went well. */
export type Callback<Result> = (error: Error | null, result?: Result) => void;

// ---- Events ----------------------------------------------------------------------------------------------

/** Named events. `Events` maps each name to the arguments of its listeners. */
export interface EventEmitter<Events = any> {
  /** Adds a listener. One that throws is reported on the console and does not hold the others. */
  on<Type extends keyof Events & string>(type: Type, listener: Listener<Events, Type>): this;
  /** Adds a listener for the next time only. */
  once<Type extends keyof Events & string>(type: Type, listener: Listener<Events, Type>): this;
  off<Type extends keyof Events & string>(type: Type, listener: Listener<Events, Type>): this;
  addListener<Type extends keyof Events & string>(type: Type, listener: Listener<Events, Type>): this;
  removeListener<Type extends keyof Events & string>(type: Type, listener: Listener<Events, Type>): this;
  removeListeners(type: keyof Events & string): void;
  /** Without a type: those of all types. */
  removeAllListeners(type?: keyof Events & string): void;
  listeners(type: keyof Events & string): Function[];
  /** Calls the listeners in the order in which they were added. Returns whether there were any. */
  emit<Type extends keyof Events & string>(type: Type, ...args: Arguments<Events, Type>): boolean;
}

type Arguments<Events, Type extends keyof Events> = Events[Type] extends any[] ? Events[Type] : never;
type Listener<Events, Type extends keyof Events> = (...args: Arguments<Events, Type>) => void;

export interface EventEmitterConstructor {
  new (): EventEmitter;
  readonly prototype: EventEmitter;
  /** Gives any object the methods of an emitter. */
  mixin<Target extends object>(object: Target): Target & EventEmitter;
}

export interface SocketEvents {
  /** A connection is there, and prepared. */
  open: [sock: Socket];
  /** A connection was lost, could not be opened, or ended; null for a normal end. */
  close: [error: ConnectionError | null];
  /** The peer sent a heartbeat; `load` is between 0 and 65535. */
  heartbeat: [{ time: Date; load: number }];
  /** An attempt begins. */
  connecting: [{ attempt: number }];
  /** The next attempt begins in `delayMs`. */
  reconnecting: [{ delayMs: number; attempt: number; error: ConnectionError | null }];
}

// ---- Streams ---------------------------------------------------------------------------------------------

/**
 * A request in parts whose result comes in parts:
 *
 *   const stream = sock.stream("sum");
 *   await stream.write(1);
 *   stream.end();
 *   for await (const total of stream) console.log(total);
 *
 * The first `write`, or `end()`, opens the request. The loop ends with the result, or throws; a result that does
 * not come in parts is its only value. Leaving the loop early cancels the stream. Parts can be written while the
 * result is read. At most a window of parts waits for a slow reader.
 */
export interface Stream<Part = any, ResultPart = any> extends AsyncIterable<ResultPart> {
  /** Whether no further part is wanted: after `end()`, or when the answer has ended or failed. */
  readonly ended: boolean;
  /**
   * Sends a part. Wait for the promise before you send the next one, so that the writer is as slow as the
   * reader: it resolves when the part has left, which needs the peer's credit and room in the WebSocket.
   * It rejects if the stream has failed. A part that is written after the answer has ended well is not sent.
   */
  write(part: Part): Promise<void>;
  /** Says that the last part was written. */
  end(): void;
  /** Gives the stream up: reader and writer fail with `error`, by default one with the code "cancelled". */
  cancel(error?: Error): void;
  /** There is one reader: each part is read once. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ResultPart>;
}

/** What a stream handler iterates over. Its loop throws when nobody waits for the result any more. */
export interface Parts<Part = any> extends AsyncIterableIterator<Part> {
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

/** A request in parts as in the stock API: nothing is sent before the first `write`, results are events. */
export interface StreamRequest extends EventEmitter<StreamRequestEvents> {
  readonly op: string;
  readonly id: string;
  readonly started: boolean;
  readonly ended: boolean;
  /** Sends a part; an empty one or null ends the request. Does nothing once it has ended. */
  write(payload: Payload | null): void;
  end(): void;
}

export interface StreamRequestEvents {
  /** A part of the result. */
  data: [part: ReceivedPayload];
  end: [error: Error | null];
  close: [error: Error | null];
}

export interface StreamRequestConstructor {
  (sock: Socket, op: string, id: string): StreamRequest;
  new (sock: Socket, op: string, id: string): StreamRequest;
  readonly prototype: StreamRequest;
}

// ---- Handlers --------------------------------------------------------------------------------------------

/** Answers a request, at once or later; only the first call counts. */
export interface Result<Value = any> {
  (value?: Value): void;
  /** Answers with an error: its text, and its `code`, `field` and `retryAfterMs`. */
  error(why: Error | ErrorDetails | string): void;
  /** Aborted when nobody waits for the answer any more: cancelled, or the connection is lost. */
  readonly signal: AbortSignal;
}

/**
 * Answers by calling `result`; what it returns is ignored. If it throws an error with a `code` that is a
 * string, such as a `gotalk.RequestError`, the peer learns of it; of all others it learns only "internal error".
 */
export type RequestHandler<Params = any, Value = any> = (
  params: Params,
  result: Result<Value>,
  op: string,
) => void | Promise<void>;

export type BufferRequestHandler = RequestHandler<ReceivedPayload, Payload | null>;

/**
 * As an async generator it yields the parts of the result; a function that returns anything else, or a
 * promise of it, has one single result. What it throws is handled as in a `RequestHandler`.
 */
export type StreamHandler<Part = any, ResultPart = any> = (
  parts: Parts<Part>,
  op: string,
) => AsyncIterable<ResultPart> | Promise<ResultPart> | ResultPart;

export type BufferStreamHandler = StreamHandler<Uint8Array, Payload>;

/** What it returns is ignored; what it throws, at once or later, is reported on the console. */
export type NotificationHandler<Value = any> = (value: Value, name: string) => unknown;

/** What a peer answers. The empty name stands for everything without a handler of its own. */
export interface Handlers {
  handleRequest<Params = any, Value = any>(op: string, handler: RequestHandler<Params, Value>): void;
  /** Like `handleRequest`, with raw payloads. */
  handleBufferRequest(op: string, handler: BufferRequestHandler): void;
  handleStream<Part = any, ResultPart = any>(op: string, handler: StreamHandler<Part, ResultPart>): void;
  /** Like `handleStream`, with bytes. A part cannot be empty. */
  handleBufferStream(op: string, handler: BufferStreamHandler): void;
  handleNotification<Value = any>(name: string, handler: NotificationHandler<Value>): void;
  /** Like `handleNotification`, with the raw payload. */
  handleBufferNotification(name: string, handler: NotificationHandler<ReceivedPayload>): void;
  findRequestHandler(op: string): BufferRequestHandler | null;
  findStreamHandler(op: string): object | null;
  findNotificationHandler(name: string): NotificationHandler<ReceivedPayload> | null;
}

export interface HandlersConstructor {
  (): Handlers;
  new (): Handlers;
  readonly prototype: Handlers;
}

// ---- Socket ----------------------------------------------------------------------------------------------

/** Keeps a socket connected. */
export interface KeepAlive {
  readonly isEnabled: boolean;
  readonly isConnected: boolean;
  enable(): void;
  disable(): void;
  reconnectIn(ms: number): void;
}

/** What a page sends and receives with. It outlives its connections; each of them is one WebSocket. */
export interface Socket extends EventEmitter<SocketEvents> {
  /** The underlying WebSocket while connected. */
  ws: WebSocket | null;
  handlers: Handlers;
  protocol: Codec;
  /** Set by `openKeepAlive`. */
  keepalive: KeepAlive | null;
  /** Milliseconds between the heartbeats that we send, by default 20,000; 0 sends none. */
  heartbeatInterval: number;
  /** Milliseconds of silence after which a peer that sends heartbeats counts as gone; 25,000. */
  livenessTimeout: number;
  /** Milliseconds that opening a connection may take; 20,000. */
  connectTimeout: number;
  /** Milliseconds until an unanswered request is rejected, by default 30,000; 0 waits for ever. */
  requestTimeout: number;
  /** Milliseconds without a part after which a stream is given up, on either side; 60,000. */
  streamTimeout: number;
  /** How often a request is repeated when the peer asks for it; 5. */
  retryLimit: number;
  /** How many messages may wait for a connection, by default 100; 0 refuses them at once. */
  sendBufferLimit: number;
  /** What the peer has announced; empty for a stock peer. */
  readonly features: Set<string>;

  /** Connects once. Without an address: to `gotalk.defaultResponderAddress`. */
  open(
    addr?: string | ConnectionOptions,
    callback?: (error: Error | null, sock?: Socket) => void,
  ): this;
  open(callback: (error: Error | null, sock?: Socket) => void): this;
  /** Connects, and again whenever the connection is lost, until `end()`. */
  openKeepAlive(addr?: string | ConnectionOptions): this;
  /** Milliseconds until the next reconnect, once: for a server that says when it will be back. */
  reconnectIn(ms: number): this;
  /** Ends after the pending requests and streams have ended; at once when called again. */
  end(): void;
  /** The address of the present connection. */
  address(): string | null;

  /**
   * Asks for operation `op`; value and result are JSON. Waits for a connection if there is none. A result
   * that comes in parts is put together.
   */
  request<Value = any>(op: string, value?: unknown, options?: RequestOptions): Promise<Value>;
  /** With a callback the promise does not reject. */
  request<Value = any>(op: string, value: unknown, callback: Callback<Value>): Promise<Value | undefined>;
  request<Value = any>(op: string, callback: Callback<Value>): Promise<Value | undefined>;
  /** Asks with raw data, for raw data. */
  bufferRequest(op: string, payload?: Payload | null, options?: RequestOptions): Promise<ReceivedPayload>;
  bufferRequest(
    op: string,
    payload: Payload | null,
    callback: Callback<ReceivedPayload>,
  ): Promise<ReceivedPayload>;
  /** Older name of `request`. */
  requestp<Value = any>(op: string, value?: unknown, options?: RequestOptions): Promise<Value>;
  /** Older name of `bufferRequest`. */
  bufferRequestp(op: string, payload?: Payload | null, options?: RequestOptions): Promise<ReceivedPayload>;

  /** Opens a stream whose parts are bytes. A part cannot be empty. */
  stream(op: string, options: StreamOptions & { buffer: true }): Stream<Payload, Uint8Array>;
  /** Opens a stream whose parts are JSON values. Fails with "unsupported" if the peer does not support them. */
  stream<Part = any, ResultPart = any>(
    op: string,
    options?: StreamOptions & { buffer?: false },
  ): Stream<Part, ResultPart>;
  /** Opens a stream whose parts are bytes. A part cannot be empty. */
  bufferStream(op: string, options?: StreamOptions): Stream<Payload, Uint8Array>;
  /** A request in parts of the stock API, to any server. */
  streamRequest(op: string): StreamRequest;

  /** Tells `name` with a JSON value; never answered. Throws when it can be neither sent nor buffered. */
  notify(name: string, value?: unknown): void;
  bufferNotify(name: string, payload: Payload | null): void;
  /** Sends a heartbeat with a load between 0 (idle) and 1. Throws when not connected. */
  sendHeartbeat(load: number): void;

  /** Takes over an open WebSocket; `handshake()` and `startReading()` follow. */
  adopt(ws: WebSocket): void;
  /** The older name of `adopt`. */
  adoptWebSocket(ws: WebSocket): void;
  handshake(): void;
  startReading(): void;
  /** Sends one message, or keeps it for the next connection. */
  sendMsg(type: number, id: Id | null, name: string | null, wait: number, payload: Payload | null): void;
}

export interface SockConstructor {
  (handlers?: Handlers, proto?: Codec): Socket;
  new (handlers?: Handlers, proto?: Codec): Socket;
  readonly prototype: Socket;
}

// ---- Protocol --------------------------------------------------------------------------------------------

/** Four bytes, or a string with one character for each. */
export type Id = string | Uint8Array;

/** In a heartbeat `wait` is the load and `size` the Unix time; in a protocol error `size` is the code. */
export interface Header {
  t: number;
  id: Id | undefined;
  name: string | undefined;
  wait: number;
  size: number;
}

/** Headers as bytes or as strings. */
export interface Codec<Data extends string | Uint8Array = any> {
  readonly versionBuf: Data;
  makeFixnum(value: number, digits: number): Data;
  parseVersion(data: Data): number;
  /** Null while bytes are missing. */
  parseMsg(data: Data): Header | null;
  makeMsg(type: number, id: Id | null, name: string | null, wait: number, size: number): Data;
  makeMsg(type: number, id: Id | null, name: string | null, size: number): Data;
  makeHeartbeatMsg(load: number): Data;
}

/** Cuts WebSocket messages into gotalk messages. */
export interface Reader {
  /** Whether messages may be joined and cut anywhere. */
  joined: boolean;
  versionSeen: boolean;
  feed(frame: string | Uint8Array): Iterable<Header & { payload: ReceivedPayload }>;
}

export interface Protocol {
  readonly Version: number;
  readonly MsgTypeSingleReq: number;
  readonly MsgTypeStreamReq: number;
  readonly MsgTypeStreamReqPart: number;
  readonly MsgTypeSingleRes: number;
  readonly MsgTypeStreamRes: number;
  readonly MsgTypeErrorRes: number;
  readonly MsgTypeRetryRes: number;
  readonly MsgTypeNotification: number;
  readonly MsgTypeHeartbeat: number;
  readonly MsgTypeProtocolError: number;
  readonly ErrorAbnormal: number;
  readonly ErrorUnsupported: number;
  readonly ErrorInvalidMsg: number;
  readonly ErrorTimeout: number;
  readonly HeartbeatMsgMaxLoad: number;
  binary: Codec<Uint8Array>;
  text: Codec<string>;
  Reader: new () => Reader;
}

export interface BufFunction {
  /** So many zero bytes, or the bytes of what is given. */
  (value: number | ArrayBuffer | Uint8Array): Uint8Array;
  isBuf(value: unknown): value is Uint8Array;
  fromString(text: string): Uint8Array;
}

// ---- The global ------------------------------------------------------------------------------------------

export interface Gotalk {
  /** The version of the public gotalk.js whose API this is. */
  readonly version: string;
  readonly protocol: Protocol;
  readonly Buf: BufFunction;
  readonly EventEmitter: EventEmitterConstructor;
  readonly Handlers: HandlersConstructor;
  /** For handlers to throw, and to tell what failed with `instanceof`. */
  readonly RequestError: RequestErrorConstructor;
  readonly Sock: SockConstructor;
  readonly StreamRequest: StreamRequestConstructor;
  /** Whether hints for developers go to the console. */
  developmentMode: boolean;
  /** The directory of the script, over WebSocket; empty if unknown. */
  defaultResponderAddress: string;
  /** The handlers of sockets that were given none. */
  defaultHandlers: Handlers;

  /** A new socket that stays connected until `end()`. */
  connection(addr?: string | ConnectionOptions, handlers?: Handlers, proto?: Codec): Socket;
  /** A new socket that connects once. */
  open(
    addr?: string | ConnectionOptions,
    callback?: (error: Error | null, sock?: Socket) => void,
    handlers?: Handlers,
    proto?: Codec,
  ): Socket;
  open(callback: (error: Error | null, sock?: Socket) => void): Socket;
  /** The older name of `open`. */
  connect(
    addr?: string | ConnectionOptions,
    callback?: (error: Error | null, sock?: Socket) => void,
  ): Socket;

  // Each for `defaultHandlers`, as it is at the time of the call.
  /** The older name of `handleRequest`. */
  handle: Handlers["handleRequest"];
  handleRequest: Handlers["handleRequest"];
  handleBufferRequest: Handlers["handleBufferRequest"];
  handleStream: Handlers["handleStream"];
  handleBufferStream: Handlers["handleBufferStream"];
  handleNotification: Handlers["handleNotification"];
  handleBufferNotification: Handlers["handleBufferNotification"];
}
