// @ts-check
/** How long reading is gathered before the server is told. */
const GATHER_MS = 400;

/** Tells the server how far one has read. */
export class ReadMarker {
  #request;
  #marks;
  #timers;
  /** @type {Map<number, any>} room key → timer */
  #waiting = new Map();

  /**
   * @param {import("../types.js").Request} request @param {import("../state/marks.js").Marks} marks
   * @param {{setTimeout: Function, clearTimeout: Function}} [timers]
   */
  constructor(request, marks, timers = globalThis) {
    this.#request = request;
    this.#marks = marks;
    this.#timers = timers;
  }

  /** One has read further in this room: told a moment later. @param {import("../state/store.js").RoomState} room */
  tell(room) {
    this.#timers.clearTimeout(this.#waiting.get(room.id));
    this.#waiting.set(
      room.id,
      this.#timers.setTimeout(() => this.#send(room), GATHER_MS),
    );
  }

  /** @param {import("../state/store.js").RoomState} room */
  #send(room) {
    this.#waiting.delete(room.id);
    const seq = this.#marks.readSeq(room.id);
    // A marker that is lost is told with the next one.
    if (seq > 0) this.#request("mark-read", { room: room.name, seq }).catch(() => {});
  }
}
