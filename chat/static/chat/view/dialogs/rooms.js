// @ts-check
/**
 * The dialogs about a room: to create one, and what is to know about one.
 *
 * @typedef {{facts: import("../../types.js").Room, posts: number}} ShownRoom a room as the list has it
 */
import { hashOf } from "../../lib/address.js";
import { el, isolated, within } from "../../lib/dom.js";
import { gettext, interpolate, ngettext } from "../../lib/i18n.js";
import { Dialog } from "./dialog.js";

export class CreateDialog extends Dialog {
  /**
   * @param {HTMLDialogElement} element
   * @param {(room: {name: string, topic: string, kind: string}) => Promise<void>} create
   */
  constructor(element, create) {
    super(element);
    this.onSubmit(() =>
      create({
        name: this.field("name").value,
        topic: this.field("topic").value.trim(),
        kind: this.field("private").checked ? "private" : "public",
      }),
    );
  }

  /** @param {string} [name] */
  ask(name = "") {
    this.form?.reset();
    this.field("name").value = name;
    this.open();
  }
}

export class DetailsDialog extends Dialog {
  /** @type {ShownRoom|null} */
  room = null;
  #act;

  /**
   * @param {HTMLDialogElement} element
   * @param {{setTopic: (room: any, topic: string) => Promise<void>, leave: (room: any) => Promise<void>,
   *   invite: () => void, copy: (text: string) => void, act: (name: any, room: any) => void}} means
   */
  constructor(element, { setTopic, leave, invite, copy, act }) {
    super(element);
    this.#act = act;
    this.onSubmit(async () => {
      const topic = this.field("topic").value.trim();
      if (this.room !== null && topic !== this.room.facts.topic) await setTopic(this.room, topic);
    });
    within(element, "[data-leave]").addEventListener("click", () => this.attempt(() => leave(this.room)));
    within(element, "[data-invite]").addEventListener("click", () => {
      this.close();
      invite();
    });
    within(element, "[data-copy-link]").addEventListener("click", () => {
      this.close();
      copy(location.origin + location.pathname + hashOf(this.room?.facts.name ?? ""));
    });
    this.field("topic").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.form?.requestSubmit();
    });
  }

  /**
   * @param {ShownRoom} room
   * @param {{canSetTopic: boolean, canInvite: boolean, switches: {name: string, words: string}[]}} rights
   *   `switches`: what one may do besides, each by its name
   */
  ask(room, { canSetTopic, canInvite, switches }) {
    const { facts } = room;
    this.room = room;
    within(this.element, "#details-title").replaceChildren(
      facts.kind === "public" ? "#" : "",
      isolated(facts.title),
    );
    within(this.element, "[data-facts]").textContent = factsOf(room);
    within(this.element, "[data-topic-field]").hidden = !canSetTopic;
    const isDirect = facts.kind === "direct";
    within(this.element, "[data-topic]").hidden = canSetTopic || isDirect;
    within(this.element, "[data-topic]").textContent =
      facts.topic === "" ? gettext("No topic has been set.") : facts.topic;
    within(this.element, 'button[type="submit"]').hidden = !canSetTopic;
    within(this.element, "[data-leave]").textContent = isDirect
      ? gettext("Hide conversation")
      : gettext("Leave room");
    // What leads there is of no use to anybody else.
    within(this.element, "[data-copy-link]").hidden = isDirect;
    within(this.element, "[data-invite]").hidden = !canInvite;
    within(this.element, "[data-moderate]").hidden = switches.length === 0;
    within(this.element, "[data-switches]").replaceChildren(...switches.map((each) => this.#button(each)));
    this.field("topic").value = facts.topic;
    this.open();
  }

  /** @param {{name: string, words: string}} choice */
  #button({ name, words }) {
    const button = el("button", { type: "button", class: "button quiet", "data-switch": name }, words);
    button.addEventListener("click", () => {
      this.close();
      this.#act(name, this.room);
    });
    return button;
  }
}

/** @param {ShownRoom} room */
function factsOf({ facts, posts }) {
  const sentences = [
    facts.kind === "private"
      ? gettext("A private room: only its members see it.")
      : facts.kind === "direct"
        ? gettext("A direct room: nobody else can see it.")
        : gettext("A public room: everyone here can read it."),
    interpolate(ngettext("%(n)s message so far.", "%(n)s messages so far.", posts), { n: posts.toLocaleString() }),
  ];
  if (facts.archived) sentences.push(gettext("It is archived."));
  else if (facts.read_only) sentences.push(gettext("Only moderators may post in it."));
  const seconds = facts.slow_mode_seconds;
  if (seconds > 0) {
    const wait = ngettext("one post every %(n)s second", "one post every %(n)s seconds", seconds);
    sentences.push(interpolate(gettext("Slow mode: %(wait)s."), { wait: interpolate(wait, { n: seconds }) }));
  }
  return sentences.join(" ");
}
