// @ts-check
/** The page's dialogs: opened, filled in, and closed by what became of them. */
import { hashOf } from "../lib/address.js";
import { el, isolate, isolated, within } from "../lib/dom.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";
import { oneLine } from "../lib/text.js";

/** A <dialog> of the template, with a form or without. */
class Dialog {
  /** @param {HTMLDialogElement} element */
  constructor(element) {
    this.element = element;
    this.form = /** @type {HTMLFormElement|null} */ (element.querySelector('form[method="dialog"]'));
    this.error = /** @type {HTMLElement|null} */ (element.querySelector("[data-error]"));
    for (const button of element.querySelectorAll("[data-close]"))
      button.addEventListener("click", () => element.close());
    // A press that begins on the ground beside it closes it; one that only ends there was a selection.
    element.addEventListener("pointerdown", (event) => {
      if (event.target === element && isOutside(element, event)) element.close();
    });
  }

  open() {
    if (this.error !== null) this.error.hidden = true;
    if (!this.element.open) this.element.showModal();
  }

  close() {
    this.element.close();
  }

  /** Does what the form asks for; closes when it is done, else says why not. @param {() => Promise<void>} action */
  onSubmit(action) {
    this.form?.addEventListener("submit", async (event) => {
      event.preventDefault();
      await this.attempt(action);
    });
  }

  /** @param {() => Promise<void>} action */
  async attempt(action) {
    const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (
      this.element.querySelectorAll(".actions button:not([data-close])")
    );
    for (const button of buttons) button.disabled = true;
    try {
      await action();
      this.close();
    } catch (error) {
      if (this.error === null) return;
      const words = /** @type {Error} */ (error).message;
      this.error.textContent = `${words.charAt(0).toLocaleUpperCase()}${words.slice(1)}.`;
      this.error.hidden = false;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** @param {string} name @returns {any} */
  field(name) {
    return this.form?.elements.namedItem(name);
  }
}

/** @param {HTMLElement} element @param {MouseEvent} event */
function isOutside(element, { clientX, clientY }) {
  const box = element.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

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

export class MeDialog extends Dialog {
  /** @param {HTMLDialogElement} element @param {(name: string) => Promise<void>} rename */
  constructor(element, rename) {
    super(element);
    this.onSubmit(() => rename(this.field("name").value));
  }

  /** @param {import("../types.js").Me} me */
  ask(me) {
    this.follow(me);
    this.field("name").value = me.name;
    this.open();
    this.field("name").select();
  }

  /** @param {import("../types.js").Me} me */
  follow(me) {
    within(this.element, "[data-name]").textContent = me.name;
    const shown = {
      guest: !me.logged_in,
      account: me.logged_in,
      staff: me.is_staff,
      "sign-up": me.sign_up === "open",
    };
    for (const [name, isShown] of Object.entries(shown)) {
      for (const part of this.element.querySelectorAll(`[data-for="${name}"]`))
        /** @type {HTMLElement} */ (part).hidden = !isShown;
    }
  }
}

/** Asks for the name of a person. */
export class NameDialog extends Dialog {
  /** @param {HTMLDialogElement} element @param {(name: string) => Promise<void>} action */
  constructor(element, action) {
    super(element);
    this.onSubmit(() => action(this.field("name").value.trim()));
  }

  /** @param {string[]} [likely] names to choose from */
  ask(likely = []) {
    this.form?.reset();
    this.element.querySelector("datalist")?.replaceChildren(...likely.map((name) => el("option", { value: name })));
    this.open();
  }
}

export class KickDialog extends Dialog {
  /** @type {{room: any, person: {id: number, name: string}}|null} */
  #asked = null;

  /**
   * @param {HTMLDialogElement} element
   * @param {(room: import("../state/store.js").RoomState, person: {id: number, name: string}, reason: string)
   *   => Promise<void>} kick
   */
  constructor(element, kick) {
    super(element);
    this.onSubmit(async () => {
      if (this.#asked !== null) await kick(this.#asked.room, this.#asked.person, this.field("reason").value.trim());
    });
  }

  /** @param {import("../state/store.js").RoomState} room @param {{id: number, name: string}} person */
  ask(room, person) {
    this.#asked = { room, person };
    this.form?.reset();
    within(this.element, "#kick-title").textContent = interpolate(gettext("Remove %(name)s from %(room)s?"), {
      name: isolate(person.name),
      room: isolate(room.title),
    });
    within(this.element, "[data-effect]").textContent =
      room.facts.kind === "public"
        ? gettext("The room stays closed to this person for ten minutes.")
        : gettext("This person can come back only with a new invitation.");
    this.open();
  }
}

export class DetailsDialog extends Dialog {
  /** @type {import("../state/store.js").RoomState|null} */
  room = null;

  /**
   * @param {HTMLDialogElement} element
   * @param {{setTopic: (room: any, topic: string) => Promise<void>, leave: (room: any) => Promise<void>,
   *   invite: () => void, copy: (text: string) => Promise<void>}} means
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
    within(element, "[data-copy-link]").addEventListener("click", () =>
      this.attempt(async () => {
        await copy(location.origin + location.pathname + hashOf(this.room?.name ?? ""));
      }),
    );
    this.field("topic").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.form?.requestSubmit();
    });
  }

  /** @param {import("../state/store.js").RoomState} room */
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

export class DeleteDialog extends Dialog {
  /** @type {import("../types.js").Message|null} */
  message = null;

  /**
   * @param {HTMLDialogElement} element
   * @param {(message: import("../types.js").Message, reason: string) => Promise<void>} remove
   */
  constructor(element, remove) {
    super(element);
    this.onSubmit(async () => {
      if (this.message !== null) await remove(this.message, this.field("reason").value.trim());
    });
  }

  /** @param {import("../types.js").Message} message @param {boolean} isMine */
  ask(message, isMine) {
    this.message = message;
    this.form?.reset();
    within(this.element, "[data-quote]").replaceChildren(
      el("b", {}, isolated(message.author)),
      " ",
      isolated(oneLine(message.body, 280)),
    );
    within(this.element, "[data-reason-field]").hidden = isMine;
    this.open();
  }
}

export class KeysDialog extends Dialog {}

/** @param {import("../state/store.js").RoomState} room */
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
