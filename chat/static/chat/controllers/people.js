// @ts-check
/** What one does about people: contacts, conversations of two, who is invited and who is removed. */
import { addContactDialog } from "./buttons.js";
import { KickDialog } from "../view/dialogs.js";
import { showRooms } from "./display.js";
import { byId, isolate } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { choicesFor } from "../state/rights.js";
import { goTo } from "./navigation.js";
import {
  choicesAbout,
  composer,
  connection,
  contactList,
  contacts,
  conversation,
  people,
  personMenu,
  request,
  session,
  store,
} from "../app.js";

/** @typedef {{id: number, name: string}} Someone */

const kickDialog = new KickDialog(byId("kick-dialog"), async (room, person, reason) => {
  await request("kick", { room: room.name, id: person.id, reason });
});

connection.on("contact", (contact) => contacts.hear(contact));
contacts.on("change", () => showContacts());
contacts.on("asked", ({ name }) => {
  byId("contact-news").textContent = interpolate(gettext("%(name)s asks to be your contact."), {
    name: isolate(name),
  });
});

personMenu
  .on("message", ({ id }) => attempt(() => openDirect(id)))
  .on("add", ({ name }) => attempt(() => change("add-contact", { name })))
  .on("accept", ({ name }) => attempt(() => change("add-contact", { name })))
  .on("decline", ({ name }) => attempt(() => change("decline-contact", { name })))
  .on("withdraw", ({ name }) => attempt(() => change("remove-contact", { name })))
  .on("remove", ({ name }) => attempt(() => change("remove-contact", { name })))
  .on("kick", (person) => {
    if (conversation.room !== null) kickDialog.ask(conversation.room, person);
  });

byId("people-list").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const key = from(event, "[data-person]")?.dataset.person;
  const person = key === undefined ? undefined : people.find(key);
  if (person === undefined) return;
  personMenu.open(/** @type {Someone} */ (person), choicesAbout(person), () => people.opener(person.key));
});
byId("contact-list").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const asked = contacts.list.find(({ id }) => id === Number(from(event, "[data-of]")?.dataset.of));
  const chosen = contacts.list.find(({ id }) => id === Number(from(event, "[data-contact]")?.dataset.contact));
  if (asked !== undefined) {
    personMenu.emit(from(event, "[data-answer]")?.dataset.answer ?? "", asked);
  } else if (chosen !== undefined) {
    const choices = choicesFor(chosen, { me: session.me, state: chosen.state, room: null });
    personMenu.open(chosen, choices, () => contactList.opener(chosen.id));
  }
});
byId("add-contact").addEventListener("click", () => addContactDialog.ask());

/** @param {Event} event @param {string} selector @returns {HTMLElement|null} */
const from = (event, selector) => /** @type {HTMLElement} */ (event.target).closest(selector);

/** After each connect, and when one is somebody else. */
export async function learnContacts() {
  if (session.me?.id == null) contacts.set([]);
  else contacts.set(await request("list-contacts", null));
}

/** @param {number} id */
async function openDirect(id) {
  goTo(store.setRoom(await request("open-direct", { id })));
}

/** @param {string} op @param {{name: string}} params */
async function change(op, params) {
  contacts.hear(await request(op, params));
}

function showContacts() {
  contactList.show(contacts.list, session.me?.id != null);
  people.show(session.me?.key ?? "");
  showRooms();
}

/** Says so if it fails. @param {() => Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    composer.mention(
      interpolate(gettext("That did not work: %(reason)s."), { reason: /** @type {Error} */ (error).message }),
    );
  }
}
