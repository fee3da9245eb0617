// @ts-check
/**
 * Loads pages of a room's conversation into its window.
 *
 * @typedef {import("../state/store.js").RoomState} RoomState
 */

/** Messages in one page. */
export const PAGE = 50;
/** Messages on either side of one that is jumped to. */
const AROUND = 30;

export class History {
  #request;
  #onChange;
  /** @type {WeakMap<object, Set<string>>} which ways a log is being loaded */
  #loading = new WeakMap();

  /**
   * @param {(op: string, params: any) => Promise<any>} request
   * @param {(room: RoomState) => void} onChange
   */
  constructor(request, onChange) {
    this.#request = request;
    this.#onChange = onChange;
  }

  /** The newest page becomes the window. @param {RoomState} room */
  newest(room) {
    const version = room.heard;
    return this.#load(room, "newest", { limit: PAGE }, (log, page) =>
      log.replace(page, { atStart: isStart(page), atEnd: true, version }),
    );
  }

  /** A page around a message becomes the window. @param {RoomState} room @param {number} seq */
  around(room, seq) {
    const version = room.heard;
    return this.#load(room, `around ${seq}`, { around_seq: seq, limit: 2 * AROUND }, (log, page) => {
      log.replace(page, { atStart: isStart(page), atEnd: isEnd(page, room), version });
    });
  }

  /** The page before the window. @param {RoomState} room */
  async older(room) {
    if (room.log === null || room.log.atStart || !room.log.isLoaded) return;
    const first = room.log.first;
    if (first === undefined) return;
    await this.#load(room, "older", { before_seq: first.seq, limit: PAGE }, (log, page) => {
      // Another page may have become the window meanwhile.
      if (log.first === first || log.first?.seq === first.seq) log.prepend(page, isStart(page));
    });
  }

  /** The page after the window. @param {RoomState} room */
  async newer(room) {
    if (room.log === null || room.log.atEnd || !room.log.isLoaded) return;
    const last = room.log.last;
    if (last === undefined) return;
    await this.#load(room, "newer", { after_seq: last.seq, limit: PAGE }, (log, page) => {
      if (log.last?.seq === last.seq) log.append(page, isEnd(page, room));
    });
  }

  /**
   * @param {RoomState} room @param {string} way @param {object} params
   * @param {(log: import("../state/log.js").RoomLog, page: import("../types.js").Message[]) => void} apply
   */
  async #load(room, way, params, apply) {
    const log = room.log;
    if (log === null) return;
    const ways = this.#loading.get(log) ?? new Set();
    this.#loading.set(log, ways);
    if (ways.has(way)) return;
    ways.add(way);
    log.startLoad();
    try {
      const page = await this.#request("list-messages", { room: room.name, ...params });
      apply(log, page);
    } finally {
      log.endLoad();
      ways.delete(way);
      if (room.log === log) this.#onChange(room);
    }
  }
}

/**
 * A page may be short because its messages are large: only the first post of a room is its start.
 *
 * @param {import("../types.js").Message[]} page
 */
function isStart(page) {
  return page.length === 0 || page[0].number === 1;
}

/** @param {import("../types.js").Message[]} page @param {RoomState} room */
function isEnd(page, room) {
  const last = page.at(-1);
  return last === undefined || last.number >= room.posts;
}
