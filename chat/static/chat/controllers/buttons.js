// @ts-check
/** Buttons, dialogs, drawers and keys. */
import { copyText } from "../lib/clipboard.js";
import { CreateDialog, DeleteDialog, DetailsDialog, KeysDialog, MeDialog, NameDialog } from "../view/dialogs.js";
import { byId, within } from "../lib/dom.js";
import { showHead } from "./display.js";
import { createRoom, goTo, leaveRoom, step } from "./navigation.js";
import { contacts, conversation, drawers, request, roomList, session, store } from "../app.js";
import { remove } from "./posting.js";
import * as shortcuts from "./shortcuts.js";

export const createDialog = new CreateDialog(byId("create-dialog"), (wanted) => createRoom(wanted));
export const deleteDialog = new DeleteDialog(byId("delete-dialog"), (message, reason) => remove(message, reason));
export const meDialog = new MeDialog(byId("me-dialog"), async (name) => {
  await request("set-name", { name });
});
export const addContactDialog = new NameDialog(byId("add-contact-dialog"), async (name) => {
  contacts.hear(await request("add-contact", { name }));
});
const inviteDialog = new NameDialog(byId("invite-dialog"), async (name) => {
  await request("invite", { room: conversation.room?.name, name });
});
const keysDialog = new KeysDialog(byId("keys-dialog"));
const detailsDialog = new DetailsDialog(byId("details-dialog"), {
  setTopic: async (room, topic) => {
    store.setRoom(await request("set-topic", { room: room.name, topic }));
    if (room === conversation.room) showHead(room);
  },
  leave: (room) => leaveRoom(room),
  invite: () => {
    const friends = contacts.list.filter(({ state }) => state === "friends");
    inviteDialog.ask(friends.map(({ name }) => name));
  },
  copy: copyText,
});

byId("create-room").addEventListener("click", () => createDialog.ask());
byId("me").addEventListener("click", () => {
  if (session.me !== null) meDialog.ask(session.me);
});
byId("open-details").addEventListener("click", () => {
  if (conversation.room !== null) detailsDialog.ask(conversation.room);
});
byId("open-keys").addEventListener("click", () => keysDialog.open());
byId("open-rooms").addEventListener("click", () => drawers.open("rooms"));
byId("open-people").addEventListener("click", () => drawers.open("people"));
// Also when it is the open room that was chosen.
for (const id of ["room-list", "direct-list"]) byId(id).addEventListener("click", () => drawers.close());
within(byId("notice"), "button").addEventListener("click", () => {
  byId("notice").hidden = true;
});

shortcuts.listen({
  room: (letter) => {
    const room = store.rooms.get(roomList.letters.get(letter) ?? -1);
    if (room !== undefined) goTo(room);
    return room !== undefined;
  },
  step,
  help: () => keysDialog.open(),
});
