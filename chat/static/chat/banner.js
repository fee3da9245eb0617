// @ts-check
/** Says above the conversation what is true of the connection; nothing while all is well. */
import { el } from "./dom.js";
import { gettext, interpolate, ngettext } from "./i18n.js";

/** A connection that comes at once needs no words. */
const PATIENCE_MS = 600;

export class Banner {
  #element;
  #connection;
  /** @type {any} */
  #timer = null;
  #wasOnline = false;

  /** @param {HTMLElement} element @param {import("./connection.js").Connection} connection */
  constructor(element, connection) {
    this.#element = element;
    this.#connection = connection;
    connection.on("state", () => this.#follow());
    this.#follow();
  }

  #follow() {
    clearTimeout(this.#timer);
    const { state } = this.#connection;
    if (state.kind === "online") {
      this.#wasOnline = true;
      this.#element.hidden = true;
    } else if (state.kind === "connecting" && this.#element.hidden) {
      this.#timer = setTimeout(() => this.#say(), PATIENCE_MS);
    } else {
      this.#say();
    }
  }

  #say() {
    const { state } = this.#connection;
    const [text, action] = this.#words(state);
    this.#element.className = `banner${state.kind === "ended" ? " ended" : ""}`;
    this.#element.dataset.kind = state.kind;
    this.#element.replaceChildren(el("span", {}, text), ...(action === null ? [] : [" ", action]));
    this.#element.hidden = false;
    if (state.kind === "waiting") this.#timer = setTimeout(() => this.#say(), 1000);
  }

  /** @param {import("./connection.js").State} state @returns {[string, HTMLElement|null]} */
  #words(state) {
    const kept = gettext("What you send will wait and go out once.");
    if (state.kind === "offline") return [`${gettext("You are offline.")} ${kept}`, null];
    if (state.kind === "ended") return this.#ended(state);
    if (state.kind === "waiting" && state.until > Date.now()) {
      const seconds = Math.ceil((state.until - Date.now()) / 1000);
      const when = state.isRestart
        ? ngettext("The server is restarting. Reconnecting in %(n)s second.", "The server is restarting. Reconnecting in %(n)s seconds.", seconds)
        : ngettext("Not connected. Reconnecting in %(n)s second.", "Not connected. Reconnecting in %(n)s seconds.", seconds);
      return [`${interpolate(when, { n: seconds })} ${kept}`, button(gettext("Now"), () => this.#connection.retryNow())];
    }
    return [this.#wasOnline ? `${gettext("Reconnecting…")} ${kept}` : gettext("Connecting…"), null];
  }

  /** @param {{code: number, reason: string}} state @returns {[string, HTMLElement]} */
  #ended({ code, reason }) {
    const again = button(gettext("Load the page again"), () => location.reload());
    if (code === 4401 && this.#wasOnline) return [gettext("You were signed out."), again];
    if (code === 4401) {
      const link = el("a", { href: document.body.dataset.login ?? "/accounts/login/" }, gettext("Log in"));
      return [gettext("One has to log in to talk here."), link];
    }
    const because = reason === "" ? gettext("You may not be here.") : interpolate(gettext("You may not be here: %(reason)s."), { reason });
    return [because, again];
  }
}

/** @param {string} text @param {() => void} action */
function button(text, action) {
  const made = el("button", { type: "button", class: "link" }, text);
  made.addEventListener("click", action);
  return made;
}
