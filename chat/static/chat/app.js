// @ts-check
/** Makes the parts of the page, each once, and the controllers that join them. */
import { Account } from "./controllers/account.js";
import { wireButtons } from "./controllers/buttons.js";
import { Cards } from "./controllers/cards.js";
import { ContactBook } from "./controllers/contacts.js";
import { Display } from "./controllers/display.js";
import { Moderation } from "./controllers/moderation.js";
import { Navigation } from "./controllers/navigation.js";
import { People } from "./controllers/people.js";
import { wirePosting } from "./controllers/posting.js";
import { Reading } from "./controllers/reading.js";
import { wireReports } from "./controllers/reports.js";
import { wireShortcuts } from "./controllers/shortcuts.js";
import { Unseen } from "./controllers/unseen.js";
import { byId } from "./lib/dom.js";
import { browserMemory } from "./lib/storage.js";
import { CatchUp } from "./net/catchup.js";
import { Connection } from "./net/connection.js";
import { History } from "./net/history.js";
import { Outbox } from "./net/outbox.js";
import { ReadMarker } from "./net/read_marker.js";
import { Sender } from "./net/sender.js";
import { Contacts } from "./state/contacts.js";
import { Drafts } from "./state/drafts.js";
import { Marks } from "./state/marks.js";
import { Members } from "./state/members.js";
import { Quotes } from "./state/quotes.js";
import { actionsOn } from "./state/rights.js";
import { Session } from "./state/session.js";
import { Store } from "./state/store.js";
import { Typing } from "./state/typing.js";
import { Banner } from "./view/banner.js";
import { Composer } from "./view/composer.js";
import { ContactList } from "./view/contact_list.js";
import { Drawers } from "./view/drawers.js";
import { Conversation } from "./view/messages/conversation.js";
import { Toolbar } from "./view/messages/toolbar.js";
import { Notice } from "./view/notice.js";
import { PeopleList } from "./view/people.js";
import { PersonCard } from "./view/person_card.js";
import { RoomList } from "./view/room_list.js";
import { showTyping } from "./view/typing.js";

/** @typedef {import("./state/store.js").RoomState} RoomState */

const NOTIFICATIONS = ["username", "newmsg", "changed", "presence", "typing", "contact", "missed", "moderated"];

/** @param {any} gotalk the global of /gotalk/gotalk.js */
export function makeApp(gotalk) {
  const parts = makeParts(gotalk, {
    redraw: (room) => reading.redraw(room, { quietly: true }),
    openRoom: () => reading.room,
  });
  const { connection, request, session, store, marks, typing } = parts;

  const unseen = new Unseen(parts);
  const reading = new Reading({ ...parts, unseen });
  const display = new Display({ ...parts, reading, unseen });
  const cards = new Cards(parts);
  const people = new People({ ...parts, reading, cards });
  const contactBook = new ContactBook({ ...parts, display, cards });
  const navigation = new Navigation({ ...parts, reading, display, people });
  const account = new Account({ ...parts, reading, display, people, contactBook });
  wirePosting({ ...parts, reading, display });
  const moderation = new Moderation({ ...parts, reading });
  wireButtons({ ...parts, reading, display, navigation, account, moderation });
  wireReports({ ...parts, reading, display, cards });
  wireShortcuts({ ...parts, navigation });

  const catchUp = new CatchUp(store, request, (room) => reading.reload(room));
  const readMarker = new ReadMarker(request, marks);
  unseen.on("read", (room) => {
    if (session.id !== null) readMarker.tell(room);
  });
  const banner = new Banner(byId("connection"), () => connection.retryNow());
  banner.show(connection.state);
  connection.on("state", (state) => banner.show(state));
  typing.on("change", (names) => showTyping(byId("typing"), names));
  return { ...parts, reading, display, people, navigation, account, contactBook, catchUp };
}

/**
 * @param {any} gotalk
 * @param {{redraw: (room: RoomState) => void, openRoom: () => RoomState|null}} page
 * @returns {import("./controllers/parts.js").Parts}
 */
function makeParts(gotalk, { redraw, openRoom }) {
  const memory = browserMemory();
  const connection = new Connection(gotalk, NOTIFICATIONS);
  /** @type {import("./types.js").Request} */
  const request = (op, params) => connection.request(op, params);
  const session = new Session();
  const store = new Store();
  const names = new Map();
  const outbox = new Outbox(memory);
  return {
    memory,
    connection,
    request,
    session,
    store,
    names,
    outbox,
    history: new History(request, redraw),
    sender: new Sender(outbox, store, connection),
    marks: new Marks(memory),
    drafts: new Drafts(memory),
    quotes: new Quotes(request, redraw),
    contacts: new Contacts(),
    members: new Members(names),
    typing: new Typing(() => connection.notify("typing", { room: openRoom()?.name })),
    conversation: new Conversation({
      log: byId("log"),
      list: byId("messages"),
      edge: byId("edge"),
      empty: byId("empty"),
      jump: byId("jump"),
    }),
    toolbar: new Toolbar(byId("messages"), byId("message-actions"), byId("reaction-picker"), (seq) => {
      const room = openRoom();
      const message = room?.log?.find(seq);
      return room === null || message === undefined
        ? new Set()
        : actionsOn(message, { me: session.me, room: room.facts });
    }),
    composer: new Composer(byId("compose")),
    roomList: new RoomList({
      rooms: byId("room-list"),
      direct: byId("direct-list"),
    }),
    contactList: new ContactList({
      section: byId("contacts"),
      list: byId("contact-list"),
      badge: byId("contact-count"),
      news: byId("contact-news"),
      add: byId("add-contact"),
    }),
    peopleList: new PeopleList(byId("people-list")),
    personCard: new PersonCard(byId("person-dialog")),
    drawers: new Drawers(byId("app"), byId("scrim"), byId("talk")),
    notice: new Notice(byId("notice")),
  };
}
