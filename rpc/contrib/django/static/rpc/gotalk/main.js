/**
 * gotalk v1 in the browser: requests, notifications and streams in both directions over one WebSocket.
 *
 * This is what a page gets as `gotalk`: the API of the public gotalk.js 1.2.1, so that a page written for that file
 * runs unchanged with this one, in plain v1 with any server. To a server that answers our `$hello` notification it
 * offers more: joined frames, retries, structured errors, cancellation, and streams in which a slow reader holds back
 * the writer.
 *
 * Pages load all parts as one classic script (rpc/contrib/django/gotalk_js.py), so no two may use one name. Each part
 * imports only those that it stands on. `codec` and `reader` are pure: no socket, no clock. `flow_control` has the two
 * directions of a stream, for the peer that opens it and for the one that answers. A `Connection` is one WebSocket from
 * its opening to its end. The `Dispatcher` answers what the peer asks; the `Requester` keeps our `calls`, of which
 * `streams` are one kind. The socket is what a page holds; it outlives its connections, and `KeepAlive` decides when it
 * opens the next one. `opening` has what comes before a page may use it: the WebSocket, the login, the page's own hook.
 */
import { Buf, protocol } from "./codec.js";
import { RequestError } from "./errors.js";
import { EventEmitter } from "./events.js";
import { Handlers } from "./handlers.js";
import { directoryOf, gotalk, isLocal, scriptUrl } from "./page.js";
import { Sock } from "./socket.js";
import { StreamRequest } from "./streams.js";

/** @type {import("../gotalk").Gotalk} */
const api = {
  /** The version of the public gotalk.js whose API this file offers. */
  version: "1.2.1",
  protocol,
  Buf,
  EventEmitter,
  RequestError,
  // The casts are for `new`, which also works on functions that return their object.
  Handlers: /** @type {import("../gotalk").HandlersConstructor} */ (/** @type {any} */ (Handlers)),
  Sock: /** @type {import("../gotalk").SockConstructor} */ (/** @type {any} */ (Sock)),
  StreamRequest: /** @type {import("../gotalk").StreamRequestConstructor} */ (/** @type {any} */ (StreamRequest)),
  /** Whether hints for developers go to the console. */
  developmentMode: isLocal(scriptUrl),
  /** The directory of this script, over WebSocket; empty if unknown. */
  defaultResponderAddress: directoryOf(scriptUrl),
  defaultHandlers: Handlers(),

  /** A new socket that stays connected until `end()`. */
  connection(addr, handlers, proto) {
    return Sock(handlers, proto).openKeepAlive(addr);
  },

  /**
   * A new socket that connects once.
   * @param {any} [addr] may be left out
   * @param {any} [callback]
   * @param {any} [handlers]
   * @param {any} [proto]
   */
  open(addr, callback, handlers, proto) {
    return Sock(handlers, proto).open(addr, callback);
  },

  /** The older name of `open`. */
  connect(addr, callback) {
    return gotalk.open(addr, callback);
  },

  // Each for `defaultHandlers`, as it is at the time of the call.
  handle: (...args) => gotalk.defaultHandlers.handleRequest(...args),
  handleRequest: (...args) => gotalk.defaultHandlers.handleRequest(...args),
  handleBufferRequest: (...args) => gotalk.defaultHandlers.handleBufferRequest(...args),
  handleStream: (...args) => gotalk.defaultHandlers.handleStream(...args),
  handleBufferStream: (...args) => gotalk.defaultHandlers.handleBufferStream(...args),
  handleNotification: (...args) => gotalk.defaultHandlers.handleNotification(...args),
  handleBufferNotification: (...args) => gotalk.defaultHandlers.handleBufferNotification(...args),
};

/** @type {any} */ (globalThis).gotalk = Object.assign(gotalk, api);
