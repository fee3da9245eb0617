// @ts-check
/** The buttons of the head, and those that open the lists at the side. */
import { copyText } from "../lib/clipboard.js";
import { byId } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { may, mayIn, switchesOf } from "../state/rights.js";
import { NameDialog } from "../view/dialogs/people.js";
import { switchWords } from "../view/dialogs/questions.js";
import { DetailsDialog } from "../view/dialogs/rooms.js";

const INVITE = { public: "invite", private: "invite-to-private" };

/**
 * @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading,
 *   display: import("./display.js").Display, navigation: import("./navigation.js").Navigation,
 *   account: import("./account.js").Account, moderation: import("./moderation.js").Moderation}} parts
 */
export function wireButtons(parts) {
  const { store, session, contacts, request, composer, drawers } = parts;
  const { reading, display, navigation, account, moderation } = parts;
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
    act: (name, room) => moderation.askSwitch(name, room),
  });

  byId("create-room").addEventListener("click", () => navigation.askToCreate());
  byId("open-details").addEventListener("click", async () => {
    const { room } = reading;
    if (room === null) return;
    // Whoever changes the site's switches needs to know how they are now.
    if (may(session.me, "change-site")) await account.learn().catch(() => {});
    const { me } = session;
    detailsDialog.ask(room, {
      canSetTopic: mayIn(me, room.facts, "set-topic") && !room.facts.archived,
      canInvite: room.facts.kind !== "direct" && mayIn(me, room.facts, INVITE[room.facts.kind]),
      switches: switchesOf(me, room.facts).map((name) => ({ name, words: switchWords(name) })),
    });
  });
  byId("open-rooms").addEventListener("click", () => drawers.open("rooms"));
  byId("open-people").addEventListener("click", () => drawers.open("people"));
  // Also when it is the open room that was chosen.
  for (const id of ["room-list", "direct-list"]) byId(id).addEventListener("click", () => drawers.close());
}

/** @param {import("../types.js").Contact} contact */
const isFriend = ({ state }) => state === "friends";
