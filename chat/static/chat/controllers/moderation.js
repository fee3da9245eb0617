// @ts-check
/** What moderators do to people, rooms and the site; and what is told to whom something was done. */
import { byId, isolate } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { DeedDialog } from "../view/dialogs/deed.js";
import { deedQuestion, liftQuestion, reportQuestion, switchQuestion } from "../view/dialogs/questions.js";
import { nameOf } from "../view/head.js";
import { whatWasDone } from "../view/sayings.js";

/**
 * @typedef {import("../types.js").Someone} Someone
 * @typedef {import("../types.js").Place} Place
 * @typedef {import("../state/store.js").RoomState} RoomState
 */

/** @type {import("../types.js").Deed[]} */
const DEEDS = ["mute", "ban", "kick", "remove-messages"];

export class Moderation {
  #parts;
  #dialog;

  /** @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading}} parts */
  constructor(parts) {
    this.#parts = parts;
    const { connection, personCard, toolbar, reading } = parts;
    this.#dialog = new DeedDialog(byId("deed-dialog"));
    for (const deed of DEEDS) personCard.on(deed, (person, places) => this.#askDeed(deed, person, places));
    personCard.on("lift", (person, sanction) => this.#askLift(person, sanction));
    toolbar.on("report", (seq) => {
      const { room } = reading;
      const message = reading.message(seq);
      if (room !== null && message !== undefined) this.#askReport(room, message);
    });
    connection.on("moderated", (told) => this.#tell(told));
  }

  /** @param {import("../types.js").Switch} name @param {RoomState} room */
  askSwitch(name, room) {
    this.#dialog.ask(switchQuestion(name, room.facts), async ({ minutes, seconds, reason }) => {
      const { store, request } = this.#parts;
      const on = name === "read-only" || name === "calm";
      const why = { minutes: seconds === 0 && name === "slow-mode" ? null : minutes, reason };
      const here = { room: room.name, ...why };
      if (name === "slow-mode") store.setRoom(await request("set-slow-mode", { ...here, seconds }));
      else if (name === "close-sign-up") await request("close-sign-up", why);
      else if (name === "calm" || name === "end-calm") await request("calm", { ...why, on });
      else store.setRoom(await request("set-read-only", { ...here, on }));
      this.#done(gettext("Done"));
    });
  }

  /** @param {import("../types.js").Deed} deed @param {Someone} person @param {Place[]} places */
  #askDeed(deed, person, places) {
    const { request, reading } = this.#parts;
    const { room } = reading;
    this.#dialog.ask(deedQuestion(deed, person, places, room?.facts ?? null), async (answer) => {
      const { place, minutes, since, reason } = answer;
      const how = deed === "kick" ? {} : deed === "remove-messages" ? { since } : { minutes };
      const where = place === "room" ? { room: room?.name } : {};
      const done = await request(deed, { id: person.id, ...where, ...how, reason });
      const count = deed === "remove-messages" ? done.removed : null;
      this.#done(count === null ? gettext("Done") : interpolate(gettext("Messages removed: %(n)s"), { n: count }));
    });
  }

  /** @param {Someone} person @param {import("../types.js").Sanction} sanction */
  #askLift(person, { kind, room }) {
    this.#dialog.ask(liftQuestion(kind, person), async ({ reason }) => {
      const where = room === null ? {} : { room };
      await this.#parts.request(`un${kind}`, { id: person.id, ...where, reason });
      this.#done(gettext("Done"));
    });
  }

  /** @param {RoomState} room @param {import("../types.js").Message} message */
  #askReport(room, { seq, author }) {
    this.#dialog.ask(reportQuestion(author), async ({ reason }) => {
      await this.#parts.request("report", { room: room.name, seq, reason });
      this.#done(gettext("Reported to the moderators"));
    });
  }

  /** @param {import("../types.js").Moderated} told */
  #tell(told) {
    const { store, notice } = this.#parts;
    const room = told.room === null ? undefined : store.named(told.room);
    const title = room === undefined ? isolate(told.room ?? "") : nameOf(room.facts);
    const done = whatWasDone(told, title, new Date());
    if (done !== null) notice.show({ level: done.isWelcome ? "info" : "warning", text: done.text });
  }

  /** @param {string} words */
  #done(words) {
    this.#parts.composer.mention(words);
  }
}
