// @ts-check
/** Puts the parts of the page together: what one says, another hears. No part knows another by itself. */
import { Actions } from "./actions.js";
import { hashOf, roomIn } from "./address.js";
import { paint } from "./avatar.js";
import { Banner } from "./banner.js";
import { CatchUp } from "./catchup.js";
import { copyText } from "./clipboard.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { CreateDialog, DeleteDialog, DetailsDialog, KeysDialog, MeDialog } from "./dialogs.js";
import { byId, within } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Drawers } from "./drawers.js";
import { explain } from "./errors.js";
import * as head from "./head.js";
import { History } from "./history.js";
import { gettext, interpolate } from "./i18n.js";
import { Marks } from "./marks.js";
import { Outbox, signature } from "./outbox.js";
import { People } from "./people.js";
import { Quotes } from "./quotes.js";
import { RoomList } from "./rooms.js";
import { Sender } from "./sender.js";
import * as shortcuts from "./shortcuts.js";
import { Memory, browserMemory } from "./storage.js";
import { Store } from "./store.js";
import { Typing } from "./typing.js";

/** @typedef {import("./store.js").RoomState} RoomState */
/** @typedef {import("./types.js").Me} Me */

/** How long reading is gathered before the server is told. */
const MARK_READ_MS = 400;
/** The room that was open last, for an address that names none. */
const LAST_ROOM = "room";

/** @type {any} */
const browser = globalThis;
/** @type {Me|null} */
let me = null;
/** The name in the address that no room of the list has. @type {string|null} */
let missing = null;

const memory = browserMemory();
const store = new Store();
const marks = new Marks(memory);
const drafts = new Drafts(memory);
const outbox = new Outbox(memory);
/** @type {Map<number, string>} user id → name, of those who were seen */
const names = new Map();
const connection = new Connection(browser.gotalk, ["username", "newmsg", "changed", "presence", "typing"]);
/** @param {string} op @param {any} params */
const request = (op, params) => connection.request(op, params);
const history = new History(request, (room) => conversation.redraw(room, { quietly: true }));
const quotes = new Quotes(request, (room) => conversation.redraw(room, { quietly: true }));
const sender = new Sender(outbox, store, connection);
const catchUp = new CatchUp(store, request, (room) => conversation.reload(room));

const conversation = new Conversation(
  { log: byId("log"), list: byId("messages"), edge: byId("edge"), empty: byId("empty"), jump: byId("jump") },
  { store, history, outbox, marks, quotes, names, connection });
const roomList = new RoomList({ rooms: byId("room-list"), direct: byId("direct-list"), directTitle: byId("direct-title") }, marks, drafts);
const people = new People(byId("people-list"), names);
const composer = new Composer(byId("compose"));
const typing = new Typing(byId("typing"), () => connection.notify("typing", { room: conversation.room?.name }));
const actions = new Actions(byId("messages"), byId("message-actions"), byId("reaction-picker"), allowedOn);
const drawers = new Drawers(byId("app"), byId("scrim"), byId("talk"));
new Banner(byId("connection"), connection);

// --- what the server says ------------------------------------------------------------------------------------

connection.on("rooms", (rooms) => store.setRooms(rooms));
connection.on("newmsg", ({ room, message }) => store.hearPost(room, message));
connection.on("changed", ({ room, version, messages }) => store.hearChange(room, version, messages));
connection.on("username", () => {
  if (me !== null) learnMe().catch(() => {});
});
connection.on("presence", (change) => {
  if (change.room !== conversation.room?.name) return;
  people.hear(change, me?.key ?? "");
  head.showPeopleCount(people.here);
});
connection.on("typing", ({ room, names: writing }) => {
  if (room === conversation.room?.name) typing.hear(writing, me?.name ?? "");
});
connection.on("notice", (notice) => {
  // That the server restarts is told by the connection itself.
  if (notice.level !== "restart") showNotice(notice);
});
connection.on("state", () => {
  if (connection.isEnded && conversation.room !== null) showHead(conversation.room);
});
connection.on("open", () => begin().catch(() => {}));
connection.on("close", () => {
  catchUp.stop();
  typing.clear();
});

/** After each connect: who one is, what was missed, then what waits to be sent. */
async function begin() {
  await learnMe();
  goToAddress();
  if (conversation.room !== null && !conversation.room.log?.isLoaded) conversation.load();
  await Promise.all([catchUp.run(), learnPeople()]);
  sender.start();
}

async function learnMe() {
  const answer = /** @type {Me} */ (await request("whoami", null));
  me = answer;
  conversation.me = me;
  composer.maxChars = me.max_body_chars;
  if (me.id !== null) names.set(me.id, me.name);
  marks.become(me);
  for (const room of store.list) marks.meet(room);
  outbox.hold(signature(me), gettext("it was written under another name"));
  showMe();
  showRooms();
  people.show(me.key);
  conversation.redraw(conversation.room, { quietly: true });
}

async function learnPeople() {
  const { room } = conversation;
  if (room === null) return;
  try {
    const list = await request("list-members", { room: room.name });
    if (room !== conversation.room) return;
    people.set(list, me?.key ?? "");
    head.showPeopleCount(people.here);
  } catch {
    // The conversation goes on without the list; the next connect asks again.
  }
}

// --- rooms ---------------------------------------------------------------------------------------------------

store.on("rooms", () => {
  if (me !== null) for (const room of store.list) marks.meet(room);
  showRooms();
  if (me === null) return;
  const { room } = conversation;
  if (room === null) goToAddress();
  else showHead(room);
});
store.on("posted", (room, message) => {
  if (room === conversation.room) typing.forget(message.author);
  showRooms();
});
store.on("changed", (room, messages) => {
  quotes.changed(room, messages);
  if (room !== conversation.room) return;
  for (const message of messages) if (message.deleted) composer.forget(message.seq);
});
store.on("renamed", (room) => {
  if (room !== conversation.room) return;
  browser.history.replaceState(null, "", hashOf(room.name));
  showHead(room);
  learnPeople();
});
store.on("gone", (room) => {
  if (room !== conversation.room) return;
  // The address keeps naming it, so that this stays on the page until one goes elsewhere.
  leaveTo(room.name);
  head.showGone(room.name);
});
outbox.on("change", () => sender.flush());
conversation.on("read", (room) => {
  showRooms();
  tellRead(room);
});

addEventListener("hashchange", () => goToAddress());
addEventListener("storage", (event) => {
  const key = Memory.ownKey(event.key);
  if (key === null) return;
  outbox.follow(key);
  if (key === marks.key) {
    marks.reload();
    showRooms();
  }
});

/** Opens the room that the address names; without a name, the one that was open last, or the first. */
function goToAddress() {
  if (me === null) return;
  const name = roomIn(location.hash);
  const room = name === null ? roomById(memory.get(LAST_ROOM)) ?? store.list[0] : store.named(name);
  if (room !== undefined) {
    if (name === null) browser.history.replaceState(null, "", hashOf(room.name));
    missing = null;
    if (room !== conversation.room) openRoom(room);
  } else if (name !== null && name !== missing) {
    leaveTo(name);
    head.showMissing(name, { look: () => lookFor(name), create: me.can_create_rooms ? () => createDialog.ask(name) : null });
  } else if (name === null) {
    leaveTo(null);
    head.showNothing(me.can_create_rooms ? () => createDialog.ask() : null);
  }
}

/** @param {RoomState} room */
function openRoom(room) {
  drawers.close();
  memory.set(LAST_ROOM, room.id);
  typing.clear();
  actions.detach();
  people.clear();
  conversation.open(room);
  composer.begin(draftOf(room));
  showHead(room);
  showRooms();
  learnPeople();
  // On a phone the keyboard would cover what one came to read.
  if (matchMedia("(pointer: fine)").matches) composer.focus();
}

/** No room is open. @param {string|null} name what the address asks for */
function leaveTo(name) {
  missing = name;
  typing.clear();
  actions.detach();
  people.clear();
  conversation.open(null);
  head.showNoRoom(name);
  showRooms();
}

/** A public room that one does not belong to. Answers why it was not found. @param {string} name */
async function lookFor(name) {
  try {
    store.setRoom(await request("join-room", { room: name }));
    missing = null;
    goToAddress();
    return "";
  } catch (error) {
    return interpolate(gettext("Not found: %(reason)s."), { reason: explain(error) });
  }
}

/** @param {RoomState} room */
function draftOf(room) {
  const { text, replyTo } = drafts.get(room.id);
  if (replyTo === null) return { text, replyTo: null };
  const quote = quotes.of(room, replyTo);
  return { text, replyTo: { seq: replyTo, author: quote?.author ?? gettext("a message"), body: quote?.text ?? "" } };
}

/** @type {Map<number, any>} room key → timer */
const reading = new Map();

/** Tells the server how far one has read, a moment later. @param {RoomState} room */
function tellRead(room) {
  if (me === null || me.id === null) return;
  clearTimeout(reading.get(room.id));
  reading.set(room.id, setTimeout(() => {
    const seq = marks.readSeq(room.id);
    if (seq > 0) request("mark-read", { room: room.name, seq }).catch(() => {});
  }, MARK_READ_MS));
}

/** @param {number|null} id */
const roomById = (id) => (id === null ? undefined : store.rooms.get(id));

/** @param {string} name */
function goTo(name) {
  location.hash = hashOf(name);
}

/** @param {{name: string, topic: string, kind: string}} wanted */
async function createRoom(wanted) {
  const room = await request("create-room", wanted);
  // An existing public room that one had left is answered, too.
  if (store.rooms.get(room.id) === undefined) store.setRoom(await request("join-room", { room: room.name }));
  missing = null;
  goTo(room.name);
}

// --- messages ------------------------------------------------------------------------------------------------

composer.on("send", (post) => {
  const { room } = conversation;
  if (room === null || me === null) {
    post.isTaken = false;
  } else if (outbox.isFull) {
    post.isTaken = false;
    composer.mention(gettext("Too many messages wait for the connection. This one stays here."));
  } else {
    typing.done();
    outbox.add({ roomId: room.id, body: post.body, replyTo: post.replyTo, as: signature(me) });
    conversation.toNewest();
  }
});
composer.on("edit", async (seq, body) => {
  const message = conversation.message(seq);
  const isDone = await attempt("edit-message", { seq, body });
  // The text is not lost: it is there to be sent again.
  if (!isDone && message !== undefined && conversation.message(seq) !== undefined && composer.isEmpty) composer.edit(message, body);
});
composer.on("edit-last", () => {
  const message = conversation.lastOwn;
  if (message !== undefined) composer.edit(message);
});
composer.on("concern", (seq) => {
  conversation.concern = seq;
});
composer.on("typed", () => typing.typed());
composer.on("draft", (draft) => {
  if (conversation.room !== null) drafts.set(conversation.room.id, draft);
});

actions.on("reply", (seq) => {
  const message = conversation.message(seq);
  if (message !== undefined) composer.reply(message);
});
actions.on("edit", (seq) => {
  const message = conversation.message(seq);
  if (message !== undefined) composer.edit(message);
});
actions.on("delete", (seq) => {
  const message = conversation.message(seq);
  if (message !== undefined) deleteDialog.ask(message, message.author_id === me?.id);
});
actions.on("copy", async (seq) => {
  const message = conversation.message(seq);
  if (message === undefined) return;
  await copyText(message.body);
  composer.mention(gettext("Copied"));
});
actions.on("react", (seq, emoji) => {
  const users = conversation.message(seq)?.reactions[emoji] ?? [];
  attempt("react", { seq, emoji, on: me?.id == null || !users.includes(me.id) });
});
actions.on("leave", () => composer.focus());
byId("messages").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (button?.dataset.jump !== undefined) conversation.jumpTo(Number(button.dataset.jump));
  if (button?.dataset.retry !== undefined && me !== null) outbox.retry(button.dataset.retry, signature(me));
  if (button?.dataset.discard !== undefined) outbox.discard(button.dataset.discard);
});

/** What one may do to a message; the server has the last word. @param {number} seq */
function allowedOn(seq) {
  const message = conversation.message(seq);
  const facts = conversation.room?.facts;
  if (message === undefined || facts === undefined || message.deleted) return new Set(/** @type {string[]} */ ([]));
  const allowed = new Set(["copy"]);
  if (!facts.can_post) return allowed;
  const isMine = me?.id === message.author_id;
  allowed.add("react").add("reply");
  if (isMine) allowed.add("edit");
  if (isMine || facts.role === "owner" || facts.role === "moderator") allowed.add("delete");
  return allowed;
}

/**
 * Changes a message of the open room; says so if it fails. Answers whether it is done.
 * @param {string} op @param {{seq: number, [more: string]: any}} params
 */
async function attempt(op, params) {
  const { room } = conversation;
  if (room === null) return false;
  try {
    const message = await request(op, { room: room.name, ...params });
    store.patch(message);
    store.expect(room, message.version);
    return true;
  } catch (error) {
    composer.mention(interpolate(gettext("That did not work: %(reason)s."), { reason: explain(error) }));
    return false;
  }
}

// --- dialogs, drawers, keys ----------------------------------------------------------------------------------

const createDialog = new CreateDialog(byId("create-dialog"), createRoom);
const meDialog = new MeDialog(byId("me-dialog"), async (name) => {
  await request("set-name", { name });
});
const detailsDialog = new DetailsDialog(byId("details-dialog"), {
  setTopic: async (room, topic) => {
    store.setRoom(await request("set-topic", { room: room.name, topic }));
    if (room === conversation.room) showHead(room);
  },
  leave: async (room) => {
    await request("leave-room", { room: room.name });
    browser.history.replaceState(null, "", location.pathname);
    store.drop(room);
    goToAddress();
  },
  copy: copyText,
});
const deleteDialog = new DeleteDialog(byId("delete-dialog"), async (message, reason) => {
  const { room } = conversation;
  if (room === null) return;
  const changed = await request("delete-message", { room: room.name, seq: message.seq, reason });
  store.patch(changed);
  store.expect(room, changed.version);
  composer.forget(message.seq);
});
const keysDialog = new KeysDialog(byId("keys-dialog"));

byId("create-room").addEventListener("click", () => createDialog.ask());
byId("me").addEventListener("click", () => {
  if (me !== null) meDialog.ask(me);
});
byId("open-details").addEventListener("click", () => {
  if (conversation.room !== null) detailsDialog.ask(conversation.room);
});
byId("open-keys").addEventListener("click", () => keysDialog.open());
byId("open-rooms").addEventListener("click", () => drawers.open("rooms"));
byId("open-people").addEventListener("click", () => drawers.open("people"));
byId("room-list").addEventListener("click", () => drawers.close());
byId("direct-list").addEventListener("click", () => drawers.close());
within(byId("notice"), "button").addEventListener("click", () => {
  byId("notice").hidden = true;
});

shortcuts.listen({
  room: (letter) => {
    const room = roomById(roomList.letters.get(letter) ?? null);
    if (room !== undefined) goTo(room.name);
    return room !== undefined;
  },
  step,
  help: () => keysDialog.open(),
});

/** Goes to the next room in the list. @param {number} move @param {boolean} unseenOnly */
function step(move, unseenOnly) {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".rooms a.room")]);
  const rooms = links.flatMap((link) => roomById(Number(link.dataset.room)) ?? []);
  const at = rooms.findIndex((room) => room === conversation.room);
  for (let i = 1; i <= rooms.length; i++) {
    const room = rooms[(at + move * i + rooms.length * 2) % rooms.length];
    if (unseenOnly && marks.unseen(room) === 0) continue;
    goTo(room.name);
    return;
  }
}

// --- what is shown -------------------------------------------------------------------------------------------

let areRoomsShown = true;

/** Draws the list of rooms and the title, once a frame. */
function showRooms() {
  if (!areRoomsShown) return;
  areRoomsShown = false;
  const draw = () => {
    areRoomsShown = true;
    const { room } = conversation;
    roomList.show(store.list, room);
    const heard = store.list.filter((each) => !each.facts.muted);
    const count = (/** @type {RoomState[]} */ rooms) => rooms.reduce((sum, each) => sum + marks.unseen(each), 0);
    head.showCounts(room?.facts ?? null, count(heard), count(heard.filter((each) => each !== room)));
  };
  if (document.visibilityState === "visible") requestAnimationFrame(draw);
  else setTimeout(draw, 200);
}

/** @param {RoomState} room */
function showHead(room) {
  head.showRoom(room.facts);
  composer.label = interpolate(gettext("Message %(room)s"), { room: head.nameOf(room.facts) });
  composer.close(connection.isEnded ? gettext("The connection has ended.") : head.whyClosed(room.facts));
}

function showMe() {
  if (me === null) return;
  const button = byId("me");
  button.hidden = false;
  paint(within(button, ".avatar"), me.name);
  within(button, "bdi").textContent = me.name;
  byId("create-room").hidden = !me.can_create_rooms;
  meDialog.follow(me);
}

/** @param {{level: string, text: string}} notice */
function showNotice({ level, text }) {
  const banner = byId("notice");
  banner.classList.toggle("info", level === "info");
  within(banner, "span").textContent = text;
  banner.hidden = false;
}

connection.start();
