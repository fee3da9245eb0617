// @ts-check
/** The parts of the page, each made once. What one says to another is wired in the modules that page.js loads. */
import { Actions } from "./view/messages/toolbar.js";
import { Banner } from "./view/banner.js";
import { CatchUp } from "./net/catchup.js";
import { Composer } from "./view/composer.js";
import { Connection } from "./net/connection.js";
import { ContactList } from "./view/contact_list.js";
import { Contacts } from "./state/contacts.js";
import { Conversation } from "./view/messages/conversation.js";
import { byId } from "./lib/dom.js";
import { Drafts } from "./state/drafts.js";
import { Drawers } from "./view/drawers.js";
import { History } from "./net/history.js";
import { Marks } from "./state/marks.js";
import { Outbox } from "./net/outbox.js";
import { People } from "./view/people.js";
import { PersonMenu } from "./view/person_menu.js";
import { Quotes } from "./state/quotes.js";
import { actionsOn, choicesFor } from "./state/rights.js";
import { RoomList } from "./view/room_list.js";
import { Sender } from "./net/sender.js";
import { Session } from "./state/session.js";
import { browserMemory } from "./lib/storage.js";
import { Store } from "./state/store.js";
import { Typing } from "./view/typing.js";

/** @typedef {import("./state/store.js").RoomState} RoomState */

export const session = new Session();

/** @type {any} the classic script that the page loads first */
const { gotalk } = /** @type {any} */ (globalThis);

export const memory = browserMemory();
export const store = new Store();
export const marks = new Marks(memory);
export const drafts = new Drafts(memory);
export const outbox = new Outbox(memory);
/** @type {Map<number, string>} user id → name, of those who were seen */
export const names = new Map();
const HEARD = ["username", "newmsg", "changed", "presence", "typing", "contact"];
export const connection = new Connection(gotalk, HEARD);

/** @param {string} op @param {any} params @returns {Promise<any>} */
export const request = (op, params) => connection.request(op, params);

/** @param {RoomState} room */
const redraw = (room) => conversation.redraw(room, { quietly: true });

const history = new History(request, redraw);
export const quotes = new Quotes(request, redraw);
export const sender = new Sender(outbox, store, connection);
export const catchUp = new CatchUp(store, request, (room) => conversation.reload(room));
export const conversation = new Conversation(
  { log: byId("log"), list: byId("messages"), edge: byId("edge"), empty: byId("empty"), jump: byId("jump") },
  { store, history, outbox, marks, quotes, names, connection },
);
export const roomList = new RoomList(
  { rooms: byId("room-list"), direct: byId("direct-list"), directTitle: byId("direct-title") },
  marks,
  drafts,
);
export const contacts = new Contacts();
export const contactList = new ContactList({
  section: byId("contacts"),
  list: byId("contact-list"),
  badge: byId("contact-count"),
});
export const personMenu = new PersonMenu(byId("person-menu"));
export const people = new People(byId("people-list"), names, (person) => choicesAbout(person).length > 0);
export const composer = new Composer(byId("compose"));
export const typing = new Typing(byId("typing"), () =>
  connection.notify("typing", { room: conversation.room?.name }),
);
export const actions = new Actions(
  byId("messages"),
  byId("message-actions"),
  byId("reaction-picker"),
  actionsOnMessage,
);
export const drawers = new Drawers(byId("app"), byId("scrim"), byId("talk"));
new Banner(byId("connection"), connection);

/** What one may do about somebody of the open room. @param {import("./types.js").Person} person */
export function choicesAbout(person) {
  const room = conversation.room?.facts ?? null;
  return choicesFor(person, { me: session.me, state: contacts.stateOf(person.id ?? 0), room });
}

/** @param {number} seq */
function actionsOnMessage(seq) {
  const message = conversation.message(seq);
  const room = conversation.room?.facts;
  return message === undefined || room === undefined ? new Set() : actionsOn(message, { me: session.me, room });
}
