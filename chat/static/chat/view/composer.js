// @ts-check
/** Where one writes: a new message, a reply, or the new text of an own message. */
import { isolated, within } from "../lib/dom.js";
import { Emitter } from "../lib/emitter.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { oneLine } from "../lib/text.js";
import { ComposerNote } from "./composer_note.js";

/** Higher than this share of the window, the text scrolls. */
const MAX_SHARE = 0.4;
/**
 * Events: "send" ({body, replyTo, isTaken}), "edit" (seq, body), "typed", "draft" ({text, replyTo}), "concern" (seq
 * of the message that is edited or replied to, 0 for none), "edit-last" when the arrow up is pressed in an empty
 * field.
 */
export class Composer extends Emitter {
  #form;
  #field;
  #button;
  #context;
  #note;
  #closed;
  /** @type {{seq: number, author: string, body: string}|null} */
  #replyTo = null;
  /** @type {{seq: number, body: string}|null} */
  #editing = null;
  /** What was being written when the edit began. */
  #stash = "";
  #isComposing = false;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    super();
    this.#form = form;
    this.#field = /** @type {HTMLTextAreaElement} */ (within(form, "textarea"));
    this.#button = /** @type {HTMLButtonElement} */ (within(form, ".send"));
    this.#context = within(form, ".context");
    this.#note = new ComposerNote(within(form, ".note"));
    this.#closed = within(form, ".closed");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("compositionstart", () => {
      this.#isComposing = true;
    });
    this.#field.addEventListener("compositionend", () => {
      this.#isComposing = false;
      this.#changed();
    });
    within(this.#context, "button").addEventListener("click", () => {
      this.cancel();
      this.focus();
    });
    addEventListener("resize", () => this.#grow());
  }

  get isEditing() {
    return this.#editing !== null;
  }

  get isEmpty() {
    return this.#field.value === "";
  }

  /** How long a text may be. @param {number} chars @param {number} bytes */
  limitTo(chars, bytes) {
    this.#note.maxChars = chars;
    this.#note.maxBytes = bytes;
  }

  /** What the field is for. @param {string} text */
  set label(text) {
    this.#field.placeholder = text;
    this.#field.setAttribute("aria-label", text);
  }

  /**
   * Another room: its draft takes the place of the last one's.
   * @param {{text: string, replyTo: {seq: number, author: string, body: string}|null}} draft
   */
  begin(draft) {
    this.#editing = null;
    this.#replyTo = draft.replyTo;
    this.#set(draft.text);
  }

  /** Why nothing may be written here; empty if something may. @param {string} reason */
  close(reason) {
    within(this.#form, ".box").hidden = reason !== "";
    this.#closed.hidden = reason === "";
    this.#closed.textContent = reason;
    if (reason !== "") this.cancel();
  }

  focus() {
    if (!within(this.#form, ".box").hidden) this.#field.focus();
  }

  /** @param {{seq: number, author: string, body: string}} message */
  reply(message) {
    if (this.#editing !== null) this.cancel();
    this.#replyTo = message;
    this.#showContext();
    this.#keep();
    this.focus();
  }

  /** @param {{seq: number, body: string}} message @param {string} [text] what to begin with instead of its own */
  edit(message, text = message.body) {
    if (this.#editing === null) this.#stash = this.#field.value;
    this.#editing = message;
    this.#set(text);
    this.focus();
    this.#field.setSelectionRange(text.length, text.length);
  }

  /** Gives up the edit or the reply. Returns whether there was one. */
  cancel() {
    const was = this.#editing !== null || this.#replyTo !== null;
    if (this.#editing !== null) {
      this.#editing = null;
      this.#set(this.#stash);
    } else if (this.#replyTo !== null) {
      this.#replyTo = null;
      this.#showContext();
      this.#keep();
    }
    return was;
  }

  /** The message that is edited or replied to was removed. @param {number} seq */
  forget(seq) {
    if (this.#editing?.seq === seq || (this.#editing === null && this.#replyTo?.seq === seq)) this.cancel();
  }

  /** A word in passing beside the field. @param {string} text */
  mention(text) {
    this.#note.mention(text);
  }

  #submit() {
    const body = this.#field.value.trim();
    if (this.#isComposing || !this.#note.fits(body)) return;
    if (this.#editing !== null) {
      const { seq, body: before } = this.#editing;
      if (body === "") {
        this.mention(gettext("To remove the message, delete it."));
        return;
      }
      this.#editing = null;
      this.#set(this.#stash);
      if (body !== before) this.emit("edit", seq, body);
      return;
    }
    if (body === "") return;
    const post = { body, replyTo: this.#replyTo?.seq ?? null, isTaken: true };
    this.emit("send", post);
    // The listener may have no place for it: then it stays here.
    if (!post.isTaken) return;
    this.#replyTo = null;
    this.#set("");
    this.#keep();
    // On a phone the keyboard stays open for the next message.
    this.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method is open, Enter and the arrows are its own; Safari tells it by the key code only.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && this.cancel()) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "ArrowUp" && this.isEmpty && !event.altKey && !event.shiftKey && !this.isEditing) {
      event.preventDefault();
      this.emit("edit-last");
    }
  }

  #changed() {
    this.#grow();
    this.#showLength();
    if (this.#editing !== null) return;
    this.#keep();
    if (!this.isEmpty) this.emit("typed");
  }

  #keep() {
    this.emit("draft", { text: this.#field.value, replyTo: this.#replyTo?.seq ?? null });
  }

  /** @param {string} text */
  #set(text) {
    this.#field.value = text;
    this.#grow();
    this.#showLength();
    this.#showContext();
  }

  #grow() {
    this.#field.style.height = "auto";
    const most = Math.max(120, innerHeight * MAX_SHARE);
    this.#field.style.height = `${Math.min(this.#field.scrollHeight, most)}px`;
    this.#field.style.overflowY = this.#field.scrollHeight > most ? "auto" : "hidden";
  }

  #showLength() {
    const body = this.#field.value.trim();
    this.#note.follow(body);
    const fits = this.#note.fits(body);
    this.#field.setAttribute("aria-invalid", String(!fits));
    this.#button.disabled = body === "" || !fits;
  }

  #showContext() {
    const words = within(this.#context, "p");
    this.#context.hidden = this.#editing === null && this.#replyTo === null;
    this.#form.classList.toggle("editing", this.#editing !== null);
    this.emit("concern", (this.#editing ?? this.#replyTo)?.seq ?? 0);
    within(this.#context, "use").setAttribute("href", this.#editing !== null ? "#icon-edit" : "#icon-reply");
    if (this.#editing !== null) {
      words.textContent = gettext("Editing your message");
    } else if (this.#replyTo !== null) {
      const [before, after] = interpolate(gettext("Replying to %(name)s"), { name: "\u0001" }).split("\u0001");
      const { author, body } = this.#replyTo;
      words.replaceChildren(
        before,
        isolated(author),
        after,
        ...(body === "" ? [] : [": ", isolated(oneLine(body))]),
      );
    }
  }
}
