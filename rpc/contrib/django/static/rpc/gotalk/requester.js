import { connectionClosed } from "./errors.js";

/** Our calls that wait for an answer, each under an id of its own. Ids go on over connections. */
export class Requester {
  #calls = new Map();
  #nextId = 0;
  #sock;

  /**
   * @param {{send: any, connection: () => any, connectTimeout: () => number, forgotten: (call: any) => void}} sock
   *   `forgotten` hears of each call that is over
   */
  constructor(sock) {
    this.#sock = sock;
    /** Takes what `Socket.sendMsg` takes. */
    this.send = sock.send;
  }

  get isIdle() {
    return this.#calls.size === 0;
  }

  /** The present connection, or null. */
  get connection() {
    return this.#sock.connection();
  }

  /** Milliseconds that opening one may take. */
  get connectTimeout() {
    return this.#sock.connectTimeout();
  }

  /** Gives a call a new id. */
  register(call) {
    this.#calls.delete(call.id);
    do {
      call.id = this.#nextId.toString(36).padStart(4, "0");
      this.#nextId = (this.#nextId + 1) % 36 ** 4;
    } while (this.#calls.has(call.id));
    this.#calls.set(call.id, call);
  }

  forget(call) {
    this.#calls.delete(call.id);
    this.#sock.forgotten(call);
  }

  /** A message with this id, if it is a call's, has left on `connection`. */
  sent(connection, id) {
    const call = this.#calls.get(id);
    if (call !== undefined) call.connection = connection;
  }

  /** The call that a message on `connection` is about. */
  find(connection, id) {
    const call = this.#calls.get(id);
    return call !== undefined && call.connection === connection ? call : undefined;
  }

  introduced(connection) {
    for (const call of [...this.#calls.values()]) call.introduced(connection);
  }

  /** Calls that `isLost` tells will have no answer; `error` is why their connection ended, null for a normal end. */
  lose(isLost, error) {
    for (const call of [...this.#calls.values()].filter(isLost)) call.lost(connectionClosed(error));
  }
}
