// @ts-check
/** Says above the conversation what is true of the connection; nothing while all is well. */
import { LOG_IN } from "../lib/close-codes.js";
import { el, within } from "../lib/dom.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";

/** A connection that comes at once needs no words. */
const QUIET_MS = 600;

export class Banner {
  #element;
  #retryNow;
  /** @type {import("../types.js").ConnectionState} */
  #state = { kind: "connecting" };
  /** @type {any} */
  #timer = null;
  #wasOnline = false;
  #heard = "";

  /** @param {HTMLElement} element @param {() => void} retryNow connects now instead of waiting */
  constructor(element, retryNow) {
    this.#element = element;
    this.#retryNow = retryNow;
  }

  /** @param {import("../types.js").ConnectionState} state */
  show(state) {
    clearTimeout(this.#timer);
    this.#state = state;
    if (state.kind === "online") {
      this.#wasOnline = true;
      this.#heard = "";
      this.#element.hidden = true;
    } else if (state.kind === "connecting" && this.#element.hidden) {
      this.#timer = setTimeout(() => this.#say(), QUIET_MS);
    } else {
      this.#say();
    }
  }

  #say() {
    const state = this.#state;
    const { text, heard = text, action = null } = this.#words(state);
    this.#element.hidden = false;
    if (state.kind === "waiting") this.#timer = setTimeout(() => this.#say(), 1000);
    if (heard === this.#heard) {
      // Only the seconds go on: who listens is not told each of them.
      within(this.#element, "span").textContent = text;
      return;
    }
    this.#heard = heard;
    this.#element.className = `banner${state.kind === "ended" ? " ended" : ""}`;
    this.#element.replaceChildren(
      el("span", { "aria-hidden": "true" }, text),
      el("span", { class: "visually-hidden" }, heard),
      ...(action === null ? [] : [action]),
    );
  }

  /**
   * What to show, and what to read aloud where that is not the same.
   * @param {import("../types.js").ConnectionState} state @returns {{text: string, heard?: string, action?: HTMLElement}}
   */
  #words(state) {
    const kept = gettext("Your messages will wait, and each is sent once.");
    if (state.kind === "offline") return { text: `${gettext("You are offline.")} ${kept}` };
    if (state.kind === "ended") return this.#ended(state);
    if (state.kind === "waiting" && state.until > Date.now()) {
      const seconds = Math.ceil((state.until - Date.now()) / 1000);
      const what = state.isRestart ? gettext("The server is restarting.") : gettext("Not connected.");
      const when = interpolate(
        ngettext("Reconnecting in %(n)s second.", "Reconnecting in %(n)s seconds.", seconds),
        { n: seconds },
      );
      return {
        text: `${what} ${when} ${kept}`,
        heard: `${what} ${kept}`,
        action: button(gettext("Now"), this.#retryNow),
      };
    }
    return { text: this.#wasOnline ? `${gettext("Reconnecting…")} ${kept}` : gettext("Connecting…") };
  }

  /** @param {{code: number, reason: string}} state */
  #ended({ code, reason }) {
    const again = button(gettext("Load the page again"), () => location.reload());
    if (code === LOG_IN && this.#wasOnline) return { text: gettext("You were signed out."), action: again };
    if (code === LOG_IN) {
      const link = el("a", { class: "link", href: document.body.dataset.login ?? "" }, gettext("Log in"));
      return { text: gettext("You have to log in to talk here."), action: link };
    }
    const text =
      reason === ""
        ? gettext("You may not enter this site.")
        : interpolate(gettext("You may not enter this site: %(reason)s."), { reason });
    return { text, action: again };
  }
}

/** @param {string} text @param {() => void} action */
function button(text, action) {
  const made = el("button", { type: "button", class: "link" }, text);
  made.addEventListener("click", action);
  return made;
}
