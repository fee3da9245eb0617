// @ts-check
/** The page of the chat: what the server says goes to the parts that it concerns. */
import { makeApp } from "./app.js";
import { Memory } from "./lib/storage.js";

/** Wait before who one is is asked again, where the answer did not come. */
const ASK_AGAIN_MS = 2000;

// gotalk.js is a classic script, which the page loads first.
const app = makeApp(/** @type {any} */ (globalThis).gotalk);
const { connection, store, outbox, marks, typing, notice } = app;
const { reading, display, people, navigation, account, contactBook, catchUp, sender } = app;

connection.on("rooms", (rooms) => store.setRooms(rooms));
connection.on("newmsg", ({ room, message }) => store.hearPost(room, message));
connection.on("changed", ({ room, version, messages }) => store.hearChange(room, version, messages));
// The list of rooms follows and shows what is missing of them; this is the rest.
connection.on("missed", () => {
  people.learn();
  display.attempt(() => contactBook.learn());
});
connection.on("notice", (told) => {
  // That the server restarts is told by the connection itself.
  if (told.level !== "restart") notice.show(told);
});
connection.on("state", () => {
  document.body.classList.toggle("disconnected", !connection.isOnline);
  if (connection.isEnded) display.showEnd();
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
  display.showRooms();
});

/** After each connect: who one is, what was missed, then what waits to be sent. */
async function begin() {
  try {
    await account.learn();
  } catch {
    // Where the connection went, the next one begins anew.
    setTimeout(() => {
      if (connection.isOnline) begin();
    }, ASK_AGAIN_MS);
    return;
  }
  const { room } = reading;
  navigation.follow();
  if (room !== null && room === reading.room) {
    people.learn();
    if (!room.log?.isLoaded) reading.load();
  }
  await catchUp.run();
  sender.start();
}

connection.start();
