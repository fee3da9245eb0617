// @ts-check
/** One's contacts, and what one does about people anywhere: ask, answer, part, write to them. */
import { goTo } from "../lib/address.js";
import { byId } from "../lib/dom.js";
import { NameDialog } from "../view/dialogs/people.js";

/** What the card of a person, or a request's own buttons, ask of the server. */
const OPERATIONS = new Map([
  ["add", "add-contact"],
  ["accept", "add-contact"],
  ["decline", "decline-contact"],
  ["withdraw", "remove-contact"],
  ["remove", "remove-contact"],
]);

export class ContactBook {
  #parts;

  /**
   * @param {import("./parts.js").Parts & {display: import("./display.js").Display,
   *   cards: import("./cards.js").Cards}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { contacts, connection, contactList, personCard, display, cards } = parts;
    const addDialog = new NameDialog(byId("add-contact-dialog"), (name) => this.#change("add-contact", name));
    connection.on("contact", (contact) => contacts.hear(contact));
    contacts.on("asked", ({ name }) => contactList.announce(name));
    contactList
      .on("add", () => addDialog.ask())
      .on("answer", (choice, id) => {
        const contact = this.#find(id);
        if (contact !== undefined) this.#act(choice, contact.name);
      })
      .on("choose", (id) => {
        const contact = this.#find(id);
        if (contact !== undefined) cards.open(contact, null, () => contactList.opener(id));
      });
    for (const choice of OPERATIONS.keys()) personCard.on(choice, ({ name }) => this.#act(choice, name));
    personCard.on("message", ({ id }) => display.attempt(() => this.#openDirect(id)));
  }

  /** After each connect, and when one is somebody else. */
  async learn() {
    const { session, contacts, request } = this.#parts;
    contacts.set(session.id === null ? [] : await request("list-contacts", null));
  }

  /** @param {number} id */
  #find(id) {
    return this.#parts.contacts.list.find((contact) => contact.id === id);
  }

  /** @param {string} choice @param {string} name */
  #act(choice, name) {
    this.#parts.display.attempt(() => this.#change(/** @type {string} */ (OPERATIONS.get(choice)), name));
  }

  /** @param {string} op @param {string} name */
  async #change(op, name) {
    const { contacts, request } = this.#parts;
    contacts.hear(await request(op, { name }));
  }

  /** @param {number} id */
  async #openDirect(id) {
    const { store, request } = this.#parts;
    goTo(store.setRoom(await request("open-direct", { id })).name);
  }
}
