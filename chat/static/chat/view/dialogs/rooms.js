// @ts-check
/**
 * The dialogs about a room: to create one, and what is to know about one.
 *
 * @typedef {{facts: import("../../types.js").Room, posts: number}} ShownRoom a room as the list has it
 */
import { hashOf } from "../../lib/address.js";
import { isolated, within } from "../../lib/dom.js";
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

  /**
   * @param {HTMLDialogElement} element
   * @param {{setTopic: (room: any, topic: string) => Promise<void>, leave: (room: any) => Promise<void>,
   *   invite: () => void, copy: (text: string) => void}} means
   */
  constructor(element, { setTopic, leave, invite, copy }) {
    super(element);
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

  /** @param {ShownRoom} room */
  ask(room) {
    const { facts } = room;
    this.room = room;
    within(this.element, "#details-title").replaceChildren(
      facts.kind === "public" ? "#" : "",
      isolated(facts.title),
    );
    within(this.element, "[data-facts]").textContent = factsOf(room);
    const mayEdit = (facts.role === "owner" || facts.role === "moderator") && !facts.archived;
    within(this.element, "[data-topic-field]").hidden = !mayEdit;
    const isDirect = facts.kind === "direct";
    within(this.element, "[data-topic]").hidden = mayEdit || isDirect;
    within(this.element, "[data-topic]").textContent =
      facts.topic === "" ? gettext("No topic has been set.") : facts.topic;
    within(this.element, 'button[type="submit"]').hidden = !mayEdit;
    within(this.element, "[data-leave]").textContent = isDirect
      ? gettext("Hide conversation")
      : gettext("Leave room");
    // What leads there is of no use to anybody else.
    within(this.element, "[data-copy-link]").hidden = isDirect;
    const isModerator = facts.role === "owner" || facts.role === "moderator";
    within(this.element, "[data-invite]").hidden = isDirect || (facts.kind === "private" && !isModerator);
    this.field("topic").value = facts.topic;
    this.open();
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
  return sentences.join(" ");
}
