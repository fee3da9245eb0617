// @ts-check
/** Lets people filter the operations that the page shows, and try them over a socket of its own. */
import { Trial } from "./operation_trial.js";
import { gettext, interpolate } from "./wording.js";

/** The server means these to last: one comes back by loading the page again. */
const FINAL_CODES = new Set([4401, 4403]);

/** @type {any} */
const { gotalk } = globalThis;

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);

const articles = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".operation")]);

// ---- Filter ----------------------------------------------------------------------------------------------

/** The words that an operation is found by. @param {HTMLElement} article */
const haystack = (article) => `${article.dataset.name} ${article.querySelector("p")?.textContent}`.toLowerCase();

/** @type {Map<string, HTMLElement>} */
const entries = new Map();
for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav li > a"))) {
  entries.set(decodeURIComponent(link.hash.slice(1)), /** @type {HTMLElement} */ (link.parentElement));
}

/** Shows what has all words of the text. @param {string} text */
function filter(text) {
  const words = text.toLowerCase().split(/\s+/);
  for (const article of articles) {
    article.hidden = !words.every((word) => haystack(article).includes(word));
    /** @type {HTMLElement} */ (entries.get(article.id)).hidden = article.hidden;
  }
  const shown = articles.filter((article) => !article.hidden).length;
  const count = interpolate(gettext("%(shown)s of %(all)s"), { shown, all: articles.length });
  byId("filter-count").textContent = text.trim() === "" ? "" : count;
}

byId("filter").hidden = false;
const field = byId("filter-text");
field.addEventListener("input", () => filter(field.value));
// A browser that comes back to the page may have kept what was typed.
filter(field.value);

// ---- Connection ------------------------------------------------------------------------------------------

const sock = gotalk.Sock(gotalk.Handlers());
// What cannot be sent now is not to happen later.
sock.sendBufferLimit = 0;

/** @param {string|null} text */
function say(text) {
  byId("connection").textContent = text ?? "";
  byId("connection").hidden = text === null;
}

/** The server describes what it can be asked for in the words that the page shows: `$ops`. */
async function learn() {
  const { operations, notifications, $defs } = await sock.request("$ops");
  for (const article of articles) {
    const { name, kind } = /** @type {{name: string, kind: string}} */ (/** @type {any} */ (article.dataset));
    const entry = (kind === "notification" ? notifications : operations)[name];
    const details = /** @type {HTMLDetailsElement} */ (article.querySelector(".try"));
    // A server that was started anew may know less than the page.
    details.hidden = entry === undefined;
    if (details.hidden || details.dataset.ready) continue;
    details.dataset.ready = "yes";
    details.addEventListener("toggle", () => new Trial(sock, name, kind, entry, $defs).showIn(details), { once: true });
  }
}

sock.on("open", () => {
  say(null);
  learn().catch((error) => say(error.message));
});
sock.on("close", (/** @type {any} */ error) => {
  const isFinal = FINAL_CODES.has(error?.closeCode);
  if (isFinal) sock.end();
  say(isFinal ? error.reason : gettext("The connection is lost. Trying again…"));
});
say(gettext("Connecting…"));
sock.openKeepAlive();
