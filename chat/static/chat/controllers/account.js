// @ts-check
/** Who one is, and one's name. */
import { byId } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { signature } from "../state/session.js";
import { MeDialog } from "../view/dialogs/people.js";

export class Account {
  #parts;
  #dialog;

  /**
   * @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading,
   *   display: import("./display.js").Display, people: import("./people.js").People,
   *   contactBook: import("./contacts.js").ContactBook}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { session, request, connection } = parts;
    this.#dialog = new MeDialog(byId("me-dialog"), async (name) => {
      await request("set-name", { name });
    });
    byId("me").addEventListener("click", () => {
      if (session.me !== null) this.#dialog.ask(session.me);
    });
    connection.on("username", () => {
      // The first one is asked for with the connection.
      if (session.me !== null) this.learn().catch(() => {});
    });
  }

  /** Asks the server who one is; everything that depends on it follows. */
  async learn() {
    const { session, request, composer, names, marks, store, outbox } = this.#parts;
    const { reading, display, people, contactBook } = this.#parts;
    /** @type {import("../types.js").Me} */
    const me = await request("whoami", null);
    session.me = me;
    composer.limitTo(me.max_body_chars, me.max_body_bytes);
    if (me.id !== null) names.set(me.id, me.name);
    marks.become(me);
    for (const room of store.list) marks.meet(room);
    outbox.hold(signature(me), gettext("it was written under another name"));
    this.#dialog.follow(me);
    people.show();
    display.showMe();
    display.showRooms();
    if (reading.room !== null) display.showHead(reading.room);
    // The rest of the page does not wait for them, nor go without because of them.
    contactBook.learn().catch(() => {});
    reading.redraw(reading.room, { quietly: true });
  }
}
