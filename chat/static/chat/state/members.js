// @ts-check
/**
 * The members of the open room and its guests: asked for when a room is opened, kept up to date by `presence`.
 *
 * @typedef {import("../types.js").Person} Person
 */
export class Members {
  /** How many are here now, including those whom the server did not name. */
  here = 0;
  /** Whether the answer for the open room has come. */
  isKnown = false;
  #names;
  /** @type {Map<string, Person>} */
  #people = new Map();

  /** @param {Map<number, string>} names user id → name: those who are listed are added */
  constructor(names) {
    this.#names = names;
  }

  clear() {
    this.#people.clear();
    this.isKnown = false;
    this.here = 0;
  }

  /** The answer of `list-members`. @param {{members: Person[], here: number}} list */
  set({ members, here }) {
    this.#people.clear();
    for (const person of members) this.#put(person);
    this.here = here;
    this.isKnown = true;
  }

  /** @param {{joined: Person[], left: string[], here: number}} change */
  hear({ joined, left, here }) {
    if (!this.isKnown) return;
    for (const key of left) {
      const person = this.#people.get(key);
      // Members stay on the list, guests do not.
      if (person?.role) this.#people.set(key, { ...person, online: false });
      else this.#people.delete(key);
    }
    for (const person of joined) this.#put({ ...this.#people.get(person.key), ...person, online: true });
    this.here = here;
  }

  /** @param {string} key */
  find(key) {
    return this.#people.get(key);
  }

  /** @returns {Person[]} by name */
  get list() {
    return [...this.#people.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @param {Person} person */
  #put(person) {
    this.#people.set(person.key, person);
    if (person.id !== null) this.#names.set(person.id, person.name);
  }
}
