// @ts-check
/** The buttons of the head, and those that open the lists at the side. */
import { copyText } from "../lib/clipboard.js";
import { byId } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { NameDialog } from "../view/dialogs/people.js";
import { DetailsDialog } from "../view/dialogs/rooms.js";

/**
 * @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading,
 *   display: import("./display.js").Display, navigation: import("./navigation.js").Navigation}} parts
 */
export function wireButtons({ store, contacts, request, composer, drawers, reading, display, navigation }) {
  const inviteDialog = new NameDialog(byId("invite-dialog"), async (name) => {
    await request("invite", { room: reading.room?.name, name });
  });
  const detailsDialog = new DetailsDialog(byId("details-dialog"), {
    setTopic: async (room, topic) => {
      store.setRoom(await request("set-topic", { room: room.name, topic }));
      if (room === reading.room) display.showHead(room);
    },
    leave: (room) => navigation.leave(room),
    invite: () => inviteDialog.ask(contacts.list.filter(isFriend).map(({ name }) => name)),
    copy: (text) =>
      display.attempt(async () => {
        await copyText(text);
        composer.mention(gettext("Link copied"));
      }),
  });

  byId("create-room").addEventListener("click", () => navigation.askToCreate());
  byId("open-details").addEventListener("click", () => {
    if (reading.room !== null) detailsDialog.ask(reading.room);
  });
  byId("open-rooms").addEventListener("click", () => drawers.open("rooms"));
  byId("open-people").addEventListener("click", () => drawers.open("people"));
  // Also when it is the open room that was chosen.
  for (const id of ["room-list", "direct-list"]) byId(id).addEventListener("click", () => drawers.close());
}

/** @param {import("../types.js").Contact} contact */
const isFriend = ({ state }) => state === "friends";
