/*
 * Holds gotalk.d.ts to what the file it speaks of must offer. That gotalk.js does offer it is checked in the
 * script itself, where its object becomes the global and its classes name the interfaces that they implement.
 */
import type {
  EventEmitter,
  Gotalk,
  Handlers,
  RequestError,
  Socket,
  Stream,
  StreamRequest,
} from "../../../rpc/contrib/django/static/rpc/gotalk";

/** Fails when a name of `Names` is missing in `Type`. */
type Has<Type, Names extends keyof Type> = Names;

/** Fails unless `Type` can stand in the place of `Wanted`. */
type Fits<Type extends Wanted, Wanted> = Type;

/** The names of the public gotalk.js 1.2.1, on which pages rely. */
export type StockNames = [
  Has<
    Gotalk,
    | "Buf"
    | "Handlers"
    | "Sock"
    | "connection"
    | "defaultHandlers"
    | "defaultResponderAddress"
    | "developmentMode"
    | "handle"
    | "handleBufferNotification"
    | "handleBufferRequest"
    | "handleNotification"
    | "handleRequest"
    | "open"
    | "protocol"
    | "version"
  >,
  Has<
    Socket,
    | "address"
    | "adopt"
    | "bufferNotify"
    | "bufferRequest"
    | "bufferRequestp"
    | "emit"
    | "end"
    | "handshake"
    | "heartbeatInterval"
    | "notify"
    | "off"
    | "on"
    | "once"
    | "open"
    | "openKeepAlive"
    | "request"
    | "requestp"
    | "sendBufferLimit"
    | "sendHeartbeat"
    | "startReading"
    | "streamRequest"
  >,
  Has<StreamRequest, "end" | "id" | "on" | "op" | "write">,
  Has<
    Handlers,
    | "findNotificationHandler"
    | "findRequestHandler"
    | "handleBufferNotification"
    | "handleBufferRequest"
    | "handleNotification"
    | "handleRequest"
  >,
];

export type Relations = [
  Fits<typeof globalThis.gotalk, Gotalk>,
  Fits<RequestError, Error>,
  Fits<Socket, EventEmitter>,
  Fits<Stream<number, string>, AsyncIterable<string>>,
  Fits<ReturnType<Gotalk["connection"]>, Socket>,
  Fits<InstanceType<Gotalk["Handlers"]>, Handlers>,
  Fits<InstanceType<Gotalk["Sock"]>, Socket>,
];
