// @ts-check
/** Which room is open: the one that the address names. */
import { hashOf, roomIn } from "../lib/address.js";
import { createDialog } from "./buttons.js";
import { showHead, showRooms } from "./display.js";
import * as head from "../view/head.js";
import { gettext, interpolate } from "../lib/i18n.js";
import {
  actions,
  composer,
  conversation,
  drafts,
  drawers,
  marks,
  memory,
  people,
  quotes,
  request,
  roomList,
  session,
  store,
  typing,
} from "../app.js";

/** @typedef {import("../state/store.js").RoomState} RoomState */

/** How long reading is gathered before the server is told. */
const MARK_READ_MS = 400;
/** The room that was open last, for an address that names none. */
const LAST_ROOM = "room";

/** The name in the address that no room of the list has. @type {string|null} */
let missing = null;
/** @type {Map<number, any>} room key → timer */
const reading = new Map();

store.on("rooms", () => {
  const { room } = conversation;
  if (session.me !== null) for (const each of store.list) marks.meet(each);
  showRooms();
  if (room === null) goToAddress();
  else showHead(room);
});
store.on("posted", (room, message) => {
  if (room === conversation.room) typing.forget(message.author);
  showRooms();
});
store.on("renamed", (room) => {
  if (room !== conversation.room) return;
  history.replaceState(null, "", hashOf(room.name));
  showHead(room);
});
store.on("gone", (room) => {
  if (room !== conversation.room) return;
  // The address keeps naming it, so that this stays on the page until one goes elsewhere.
  leaveTo(room.name);
  head.showGone(room.title);
});
conversation.on("read", (room) => {
  showRooms();
  tellRead(room);
});
addEventListener("hashchange", () => goToAddress());

/** Opens the room that the address names; without a name, the one that was open last, or the first. */
export function goToAddress() {
  const { me } = session;
  if (me === null) return;
  const name = roomIn(location.hash);
  const room = name === null ? (store.rooms.get(memory.get(LAST_ROOM)) ?? store.rooms.get(roomList.ids[0])) : store.named(name);
  const create = (/** @type {string|undefined} */ wanted) =>
    me.can_create_rooms ? () => createDialog.ask(wanted) : null;
  if (room !== undefined) {
    if (name === null) history.replaceState(null, "", hashOf(room.name));
    missing = null;
    if (room !== conversation.room) openRoom(room);
  } else if (name === null) {
    leaveTo(null);
    head.showNothing(create(undefined));
  } else if (name !== missing) {
    leaveTo(name);
    head.showMissing(name, { look: () => lookFor(name), create: create(name) });
  }
}

/** @param {RoomState} room */
export function goTo(room) {
  location.hash = hashOf(room.name);
}

/** Goes along the list. @param {number} move @param {boolean} unseenOnly */
export function step(move, unseenOnly) {
  const { ids } = roomList;
  const at = ids.indexOf(conversation.room?.id ?? -1);
  for (let i = 1; i <= ids.length; i++) {
    const room = store.rooms.get(ids[(at + move * i + ids.length * 2) % ids.length]);
    if (room === undefined || (unseenOnly && marks.unseen(room) === 0)) continue;
    goTo(room);
    return;
  }
}

/** @param {{name: string, topic: string, kind: string}} wanted */
export async function createRoom(wanted) {
  const facts = await request("create-room", wanted);
  // An existing public room that one had left is answered, too.
  const room = store.rooms.get(facts.id) ?? store.setRoom(await request("join-room", { room: facts.name }));
  missing = null;
  goTo(room);
}

/** @param {RoomState} room */
export async function leaveRoom(room) {
  await request("leave-room", { room: room.name });
  history.replaceState(null, "", location.pathname);
  store.drop(room);
  goToAddress();
}

/** A public room that one does not belong to. Answers why it was not found. @param {string} name */
async function lookFor(name) {
  try {
    store.setRoom(await request("join-room", { room: name }));
    missing = null;
    goToAddress();
    return "";
  } catch (error) {
    return interpolate(gettext("Not found: %(reason)s."), { reason: /** @type {Error} */ (error).message });
  }
}

/** @param {RoomState} room */
function openRoom(room) {
  memory.set(LAST_ROOM, room.id);
  drawers.close();
  clearRoom();
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
  clearRoom();
  conversation.open(null);
  head.showNoRoom(name);
  showRooms();
}

function clearRoom() {
  typing.clear();
  actions.detach();
  people.clear();
}

/** Who is in the open room; from now on the server tells who comes and goes. */
export async function learnPeople() {
  const { room } = conversation;
  if (room === null) return;
  try {
    const list = await request("list-members", { room: room.name });
    if (room !== conversation.room) return;
    people.set(list, session.me?.key ?? "");
    head.showPeopleCount(people.here);
  } catch {
    // The conversation goes on without the list; the next connect asks again.
  }
}

/** @param {RoomState} room */
function draftOf(room) {
  const { text, replyTo } = drafts.get(room.id);
  if (replyTo === null) return { text, replyTo: null };
  const quote = quotes.of(room, replyTo);
  return {
    text,
    replyTo: { seq: replyTo, author: quote?.author ?? gettext("a message"), body: quote?.text ?? "" },
  };
}

/** Tells the server how far one has read, a moment later. @param {RoomState} room */
function tellRead(room) {
  if (session.me?.id == null) return;
  clearTimeout(reading.get(room.id));
  reading.set(
    room.id,
    setTimeout(() => {
      const seq = marks.readSeq(room.id);
      if (seq > 0) request("mark-read", { room: room.name, seq }).catch(() => {});
    }, MARK_READ_MS),
  );
}
