// @ts-check
/** Draws what is around the conversation: the list of rooms, the head, one's own name, notices. */
import { paint } from "../view/avatar.js";
import { byId, within } from "../lib/dom.js";
import { oncePerFrame } from "../lib/frame.js";
import * as head from "../view/head.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { composer, connection, contacts, conversation, marks, roomList, session, store } from "../app.js";

/** @typedef {import("../state/store.js").RoomState} RoomState */

/** Draws the list of rooms and the title. */
export const showRooms = oncePerFrame(drawRooms);

function drawRooms() {
  const { room } = conversation;
  roomList.show(store.list, room);
  const heard = store.list.filter((each) => !each.facts.muted);
  const count = (/** @type {RoomState[]} */ rooms) => rooms.reduce((sum, each) => sum + marks.unseen(each), 0);
  const elsewhere = heard.filter((each) => each !== room);
  head.showCounts(room?.facts ?? null, count(heard), count(elsewhere), contacts.requests);
}

/** @param {RoomState} room */
export function showHead({ facts }) {
  head.showRoom(facts);
  composer.label = interpolate(gettext("Message %(room)s"), { room: head.nameOf(facts) });
  composer.close(connection.isEnded ? gettext("The connection has ended.") : head.whyClosed(facts));
}

export function showMe() {
  const { me } = session;
  if (me === null) return;
  const button = byId("me");
  button.hidden = false;
  paint(within(button, ".avatar"), me.name);
  within(button, "bdi").textContent = me.name;
  byId("create-room").hidden = !me.can_create_rooms;
}

/** @param {{level: string, text: string}} notice */
export function showNotice({ level, text }) {
  const banner = byId("notice");
  banner.classList.toggle("info", level === "info");
  within(banner, "span").textContent = text;
  banner.hidden = false;
}
