// @ts-check
/** What one can do to a message: a toolbar that comes to the message under the pointer, the finger or the focus. */
import { el, within } from "../../lib/dom.js";
import { Emitter } from "../../lib/emitter.js";
import { moveFocus } from "../../lib/focus.js";

/** Few, and understood anywhere; what others put on a message can be joined, too. */
const PALETTE = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];

/** Keys on a focused message. */
const KEYS = new Map([
  ["r", "reply"],
  ["e", "edit"],
  ["c", "copy"],
  ["+", "react"],
  ["!", "report"],
  ["Delete", "delete"],
  ["Backspace", "delete"],
]);

/** Events: "react" (seq, emoji), "reply", "copy", "edit", "report", "delete" (seq), "leave" when Escape leads away. */
export class Toolbar extends Emitter {
  #list;
  #bar;
  #picker;
  #allowed;
  #seq = 0;

  /**
   * @param {HTMLElement} list @param {HTMLElement} bar @param {HTMLElement} picker
   * @param {(seq: number) => Set<string>} allowed what the reader may do to a message
   */
  constructor(list, bar, picker, allowed) {
    super();
    this.#list = list;
    this.#bar = bar;
    this.#picker = picker;
    this.#allowed = allowed;
    list.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && !this.#isPicking) this.#attach(event.target);
    });
    list.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && !this.#isPicking && !this.#bar.contains(document.activeElement))
        this.detach();
    });
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("focusin", (event) => this.#attach(event.target));
    list.addEventListener("keydown", (event) => this.#key(event));
    bar.addEventListener("keydown", (event) => moveFocus(event, bar, "ArrowLeft", "ArrowRight"));
    bar.addEventListener("click", (event) => this.#chosen(event));
    this.#furnish();
  }

  /** The toolbar leaves the conversation, so that it is not swept away with a message. */
  detach() {
    if (this.#bar.hidden) return;
    this.#bar.hidden = true;
    document.body.append(this.#bar);
    this.#list.querySelector(".active")?.classList.remove("active");
  }

  /** Takes the focus to the last message. */
  enter() {
    const messages = this.#list.querySelectorAll("li[data-seq]");
    /** @type {HTMLElement|undefined} */ (messages[messages.length - 1])?.focus();
  }

  get #isPicking() {
    return this.#picker.matches(":popover-open");
  }

  #furnish() {
    for (const emoji of PALETTE)
      this.#picker.append(el("button", { type: "button", role: "menuitem", "data-emoji": emoji }, emoji));
    this.#picker.addEventListener("keydown", (event) => moveFocus(event, this.#picker, "ArrowLeft", "ArrowRight"));
    this.#picker.addEventListener("click", (event) => {
      const button = /** @type {HTMLElement|null} */ (
        /** @type {HTMLElement} */ (event.target).closest("[data-emoji]")
      );
      if (button === null) return;
      this.#picker.hidePopover();
      this.emit("react", this.#seq, button.dataset.emoji);
    });
  }

  /** @param {EventTarget|null} target */
  #attach(target) {
    const line = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (target).closest?.("li"));
    const seq = Number(line?.dataset.seq);
    if (line === null || !seq || this.#list.parentElement === null) {
      if (!this.#bar.contains(/** @type {Node} */ (target))) this.detach();
      return;
    }
    if (line.contains(this.#bar) && !this.#bar.hidden) return;
    const allowed = this.#allowed(seq);
    if (allowed.size === 0) {
      this.detach();
      return;
    }
    this.#seq = seq;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.#bar.querySelectorAll("[data-action]"))) {
      button.hidden = !allowed.has(button.dataset.action ?? "");
    }
    this.#list.querySelector(".active")?.classList.remove("active");
    line.classList.add("active");
    line.append(this.#bar);
    this.#bar.hidden = false;
    this.#keepInView();
  }

  /** At the top of the conversation there is no room above a message. */
  #keepInView() {
    this.#bar.classList.remove("below");
    const log = this.#list.parentElement?.getBoundingClientRect();
    if (log !== undefined && this.#bar.getBoundingClientRect().top < log.top) this.#bar.classList.add("below");
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const line = /** @type {HTMLElement|null} */ (target.closest("li[data-seq]"));
    const seq = Number(line?.dataset.seq);
    const emoji = /** @type {HTMLElement|null} */ (target.closest(".reactions [data-emoji]"));
    const add = /** @type {HTMLElement|null} */ (target.closest("[data-add-reaction]"));
    if (emoji !== null) {
      this.emit("react", seq, emoji.dataset.emoji);
    } else if (add !== null) {
      this.#seq = seq;
      this.#pick(add);
    } else if (line !== null && !this.#bar.contains(target) && target.closest("a, button") === null) {
      // A finger has no place to hover: a tap brings the toolbar.
      this.#attach(target);
    }
  }

  /** @param {MouseEvent} event */
  #chosen(event) {
    event.stopPropagation();
    const button = /** @type {HTMLElement|null} */ (
      /** @type {HTMLElement} */ (event.target).closest("[data-action]")
    );
    if (button === null) return;
    this.#act(button.dataset.action ?? "", button);
  }

  /** @param {string} action @param {HTMLElement} from */
  #act(action, from) {
    if (action === "react") this.#pick(from);
    else this.emit(action, this.#seq);
  }

  /** @param {HTMLElement} from */
  #pick(from) {
    this.#picker.showPopover();
    const box = from.getBoundingClientRect();
    const own = this.#picker.getBoundingClientRect();
    const above = box.top - own.height - 6;
    this.#picker.style.top = `${above > 8 ? above : box.bottom + 6}px`;
    this.#picker.style.left = `${Math.min(Math.max(8, box.right - own.width), innerWidth - own.width - 8)}px`;
    within(this.#picker, "button").focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const line = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest("li.message"));
    if (line === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      this.emit("leave");
      event.preventDefault();
      return;
    }
    if (event.target !== line) return;
    const move = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    const action = KEYS.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (move !== 0) {
      event.preventDefault();
      this.#step(line, move);
    } else if (action !== undefined && this.#allowed(Number(line.dataset.seq)).has(action)) {
      event.preventDefault();
      this.#act(action, line);
    }
  }

  /** @param {HTMLElement} line @param {number} move */
  #step(line, move) {
    const lines = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("li.message")]);
    const next = lines[lines.indexOf(line) + move];
    if (next === undefined && move > 0) this.emit("leave");
    next?.focus();
  }
}
