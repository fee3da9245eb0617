// @ts-check
/** Opens the card of a person, and asks the server what there is to know and to do about them. */
import { choicesFor, deedsAmong } from "../state/rights.js";

/** @typedef {import("../types.js").Someone} Someone */

export class Cards {
  #parts;

  /** @param {import("./parts.js").Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Whether there is anybody to open the card of. @param {{id: number|null, key: string}} person */
  has({ id, key }) {
    const { me } = this.#parts.session;
    return me !== null && id !== null && key !== me.key;
  }

  /**
   * @param {Someone} person
   * @param {import("../types.js").Room|null} room the open one, if it is about somebody there
   * @param {() => HTMLElement|null} opener finds what has the focus when the card is closed
   */
  async open(person, room, opener) {
    const { session, contacts, personCard, request } = this.#parts;
    if (!this.has(person)) return;
    const state = contacts.stateOf(person.id ?? 0);
    const choices = choicesFor(person, { me: session.me, state, room });
    personCard.open(person, choices, opener);
    try {
      /** @type {import("../types.js").ShownPerson} */
      const shown = await request("show-person", { id: person.id, room: room?.name });
      if (personCard.person !== person) return;
      personCard.presence = shown.online;
      personCard.show(choices, deedsAmong(shown.may), shown.sanctions);
    } catch {
      // Without a connection there is nothing to add.
    }
  }
}
