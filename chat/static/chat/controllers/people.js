// @ts-check
/** The people of the open room: who is here, who writes, and whose card one opens. */
import { showPeopleCount } from "../view/head.js";

/** @typedef {import("../types.js").Person} Person */

export class People {
  #parts;

  /**
   * @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading,
   *   cards: import("./cards.js").Cards}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { connection, session, store, members, typing, conversation, peopleList, reading, cards } = parts;
    connection.on("presence", (change) => {
      if (change.room !== reading.room?.name) return;
      members.hear(change);
      this.show();
      showPeopleCount(members.here);
    });
    connection.on("typing", ({ room, names }) => {
      if (room === reading.room?.name) typing.hear(names, session.name);
    });
    store.on("posted", (room, { author }) => {
      if (room === reading.room) typing.forget(author);
    });
    const open = (/** @type {Person|undefined} */ person, /** @type {() => HTMLElement|null} */ opener) => {
      if (person !== undefined && reading.room !== null) cards.open(person, reading.room.facts, opener);
    };
    peopleList.on("choose", (key) => open(members.find(key), () => peopleList.opener(key)));
    conversation.on("author", (seq) => {
      const message = reading.message(seq);
      if (message !== undefined) open(this.#authorOf(message), () => conversation.authorAt(seq));
    });
  }

  /** Another room is about to be open, or none. */
  clear() {
    const { typing, members, peopleList } = this.#parts;
    typing.clear();
    members.clear();
    peopleList.clear();
  }

  /** Who is in the open room; from now on the server tells who comes and goes. */
  async learn() {
    const { members, request, reading } = this.#parts;
    const { room } = reading;
    if (room === null) return;
    try {
      const list = await request("list-members", { room: room.name });
      if (room !== reading.room) return;
      members.set(list);
    } catch {
      // The conversation goes on without the list; the next connect asks again.
      return;
    }
    this.show();
    showPeopleCount(members.here);
  }

  show() {
    const { session, members, peopleList, cards } = this.#parts;
    if (!members.isKnown) return;
    peopleList.show(members.list, {
      here: members.here,
      myKey: session.key,
      hasCard: (person) => cards.has(person),
    });
  }

  /** As the list has them, or as they were. @param {import("../types.js").Message} message @returns {Person} */
  #authorOf({ author_id, author, is_guest, is_bot }) {
    const key = `u${author_id}`;
    return this.#parts.members.find(key) ?? { id: author_id, key, name: author, is_guest, is_bot };
  }
}
