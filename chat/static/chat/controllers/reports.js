// @ts-check
/** The reports of the open room: to its moderators, who answer them. */
import { byId } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { ReportsDialog } from "../view/dialogs/reports.js";
import { nameOf } from "../view/head.js";

/** @typedef {import("../types.js").Report} Report */

/**
 * @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading,
 *   display: import("./display.js").Display, cards: import("./cards.js").Cards}} parts
 */
export function wireReports({ store, request, reading, display, cards }) {
  const dialog = new ReportsDialog(byId("reports-dialog"), {
    decide,
    jump: ({ seq }) => reading.jumpTo(seq),
    person: ({ author, author_id }) => {
      const person = { id: author_id, key: `u${author_id}`, name: author, is_guest: false, is_bot: false };
      cards.open(person, reading.room?.facts ?? null, () => byId("open-reports"));
    },
  });

  byId("open-reports").addEventListener("click", () =>
    display.attempt(async () => {
      const { room } = reading;
      if (room !== null) dialog.show(nameOf(room.facts), await request("list-reports", { room: room.name }));
    }),
  );

  /** @param {Report} report @param {import("../view/dialogs/reports.js").Decision} decision */
  async function decide({ id, seq, reason }, { removes, note }) {
    const { room } = reading;
    if (room === null) return;
    if (removes) await remove(room, seq, reason);
    const decided = removes ? gettext("The message was removed.") : gettext("The message stays.");
    await request("answer-report", { room: room.name, id, answer: `${decided} ${note}`.trim() });
  }

  /** @param {import("../state/store.js").RoomState} room @param {number} seq @param {string} reason */
  async function remove(room, seq, reason) {
    try {
      const message = await request("delete-message", { room: room.name, seq, reason: reason.slice(0, 200) });
      store.patch(message);
      store.expect(room, message.version);
    } catch (error) {
      // Somebody was faster.
      if (/** @type {any} */ (error).code !== "no_such_message") throw error;
    }
  }
}
