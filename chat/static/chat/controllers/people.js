// @ts-check
/** The people of the open room, and what one does about them there. */
import { byId } from "../lib/dom.js";
import { choicesFor } from "../state/rights.js";
import { KickDialog } from "../view/dialogs/people.js";
import { showPeopleCount } from "../view/head.js";

/** @typedef {import("../types.js").Person} Person */

export class People {
  #parts;

  /** @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading}} parts */
  constructor(parts) {
    this.#parts = parts;
    const { connection, request, session, store, contacts, members, typing } = parts;
    const { peopleList, personMenu, reading } = parts;
    const kickDialog = new KickDialog(byId("kick-dialog"), async (room, { id }, reason) => {
      await request("kick", { room: room.facts.name, id, reason });
    });
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
    contacts.on("change", () => this.show());
    peopleList.on("choose", (key) => {
      const person = members.find(key);
      if (person !== undefined) personMenu.open(person, this.#choices(person), () => peopleList.opener(key));
    });
    personMenu.on("kick", (person) => {
      if (reading.room !== null) kickDialog.ask(reading.room, person);
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
    const { session, members, peopleList } = this.#parts;
    if (!members.isKnown) return;
    peopleList.show(members.list, {
      here: members.here,
      myKey: session.key,
      hasMenu: (person) => this.#choices(person).length > 0,
    });
  }

  /** @param {Person} person */
  #choices(person) {
    const { session, contacts, reading } = this.#parts;
    const state = contacts.stateOf(person.id ?? 0);
    return choicesFor(person, { me: session.me, state, room: reading.room?.facts ?? null });
  }
}
