// @ts-check
/** The page of the chat: what the server says goes to the parts that it concerns. */
import { meDialog } from "./controllers/buttons.js";
import { showHead, showMe, showNotice, showRooms } from "./controllers/display.js";
import * as head from "./view/head.js";
import { gettext } from "./lib/i18n.js";
import { learnContacts } from "./controllers/people.js";
import { goToAddress, learnPeople } from "./controllers/navigation.js";
import { signature } from "./state/session.js";
import {
  catchUp,
  composer,
  connection,
  conversation,
  marks,
  names,
  outbox,
  people,
  request,
  sender,
  session,
  store,
  typing,
} from "./app.js";
import "./controllers/posting.js";
import { Memory } from "./lib/storage.js";

/** Wait before who one is is asked again, where the answer did not come. */
const ASK_AGAIN_MS = 2000;

connection.on("rooms", (rooms) => store.setRooms(rooms));
connection.on("newmsg", ({ room, message }) => store.hearPost(room, message));
connection.on("changed", ({ room, version, messages }) => store.hearChange(room, version, messages));
connection.on("username", () => {
  // The first one is asked for by `begin`.
  if (session.me !== null) learnMe().catch(() => {});
});
connection.on("presence", (change) => {
  if (change.room !== conversation.room?.name) return;
  people.hear(change, session.me?.key ?? "");
  head.showPeopleCount(people.here);
});
connection.on("typing", ({ room, names: writing }) => {
  if (room === conversation.room?.name) typing.hear(writing, session.me?.name ?? "");
});
connection.on("notice", (notice) => {
  // That the server restarts is told by the connection itself.
  if (notice.level !== "restart") showNotice(notice);
});
connection.on("state", () => {
  document.body.classList.toggle("disconnected", !connection.isOnline);
  if (connection.isEnded && conversation.room !== null) showHead(conversation.room);
});
connection.on("open", () => begin());
connection.on("close", () => {
  catchUp.stop();
  typing.clear();
});
// Another page of this browser read something, or sent what waits here, too.
addEventListener("storage", (event) => {
  const key = Memory.ownKey(event.key);
  if (key === null) return;
  outbox.follow(key);
  if (key !== marks.key) return;
  marks.reload();
  showRooms();
});

/** After each connect: who one is, what was missed, then what waits to be sent. */
async function begin() {
  try {
    await learnMe();
  } catch {
    // Where the connection went, the next one begins anew.
    setTimeout(() => {
      if (connection.isOnline) begin();
    }, ASK_AGAIN_MS);
    return;
  }
  const { room } = conversation;
  goToAddress();
  if (room !== null && room === conversation.room) {
    learnPeople();
    if (!room.log?.isLoaded) conversation.load();
  }
  await catchUp.run();
  sender.start();
}

async function learnMe() {
  /** @type {import("./types.js").Me} */
  const me = await request("whoami", null);
  session.me = me;
  conversation.me = me;
  composer.maxChars = me.max_body_chars;
  if (me.id !== null) names.set(me.id, me.name);
  marks.become(me);
  for (const room of store.list) marks.meet(room);
  outbox.hold(signature(me), gettext("it was written under another name"));
  meDialog.follow(me);
  people.show(me.key);
  showMe();
  showRooms();
  // The rest of the page does not wait for them, nor go without because of them.
  learnContacts().catch(() => {});
  conversation.redraw(conversation.room, { quietly: true });
}

connection.start();
