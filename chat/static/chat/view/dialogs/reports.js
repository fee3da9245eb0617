// @ts-check
/**
 * The reports of a room that wait for an answer, each with what was said around the message.
 *
 * @typedef {import("../../types.js").Report} Report
 * @typedef {{removes: boolean, note: string}} Decision
 */
import { el, isolate, isolated, within } from "../../lib/dom.js";
import { gettext, interpolate } from "../../lib/i18n.js";
import { clockTime, fullTime } from "../../lib/time.js";
import { Dialog, showError } from "./dialog.js";

const MAX_NOTE = 400;

export class ReportsDialog extends Dialog {
  #decide;
  #list;

  /**
   * @param {HTMLDialogElement} element
   * @param {{decide: (report: Report, decision: Decision) => Promise<void>, jump: (report: Report) => void,
   *   person: (report: Report) => void}} means `decide` answers a report; `jump` and `person` show more
   */
  constructor(element, { decide, jump, person }) {
    super(element);
    this.#decide = decide;
    this.#list = within(element, "[data-reports]");
    this.jump = jump;
    this.person = person;
  }

  /** @param {string} title of the room, as it is shown @param {Report[]} reports */
  show(title, reports) {
    within(this.element, "#reports-title").textContent = interpolate(gettext("Reports in %(room)s"), {
      room: title,
    });
    this.#list.replaceChildren(...reports.map((report) => this.#node(report)));
    within(this.element, "[data-none]").hidden = reports.length > 0;
    this.open();
  }

  /** @param {Report} report */
  #node(report) {
    const author = this.#link(report.author, () => this.person(report));
    const when = new Date(report.at);
    const head = el(
      "p",
      { class: "quiet-text" },
      interpolate(gettext("%(name)s reported at"), { name: isolate(report.reporter) }),
      " ",
      el("time", { datetime: report.at, title: fullTime(when) }, clockTime(when)),
    );
    const about = el("p", {}, gettext("Message of"), " ", author);
    const lines = report.context.map(({ seq, author: name, body }) =>
      el("p", { class: seq === report.seq ? "reported" : null, dir: "auto" }, el("b", {}, isolated(name)), " ", body),
    );
    const reason = el("blockquote", { dir: "auto" }, report.reason);
    // It scrolls, so the keyboard must reach it.
    const reach = { tabindex: 0, role: "group", "aria-label": gettext("What was said") };
    const context = el("div", { class: "context-lines", ...reach }, ...lines);
    const item = el("li", { "data-report": report.id }, head, reason, about, context);
    item.append(this.#form(report, item));
    return item;
  }

  /** @param {Report} report @param {HTMLElement} item */
  #form(report, item) {
    const removes = el("input", { type: "checkbox" });
    const note = el("input", { maxlength: MAX_NOTE, dir: "auto", autocomplete: "off" });
    const said = el("p", { class: "bad-text", role: "alert", hidden: true });
    const form = el(
      "form",
      {},
      el("label", { class: "choice" }, removes, el("span", {}, gettext("Remove the message"))),
      el("label", { class: "field" }, el("span", {}, gettext("Answer to the person who reported it")), note),
      said,
      el(
        "div",
        { class: "actions" },
        this.#link(gettext("Go to this message"), () => this.jump(report)),
        el("span", { class: "gap" }),
        el("button", { type: "submit", class: "button" }, gettext("Answer")),
      ),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await this.#decide(report, { removes: removes.checked, note: note.value.trim() });
        this.#answered(item);
      } catch (error) {
        showError(said, error);
      }
    });
    return form;
  }

  /** One less: the next one has the focus. @param {HTMLElement} item */
  #answered(item) {
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    within(this.element, "[data-none]").hidden = next !== null;
    within(next ?? this.element, "button").focus();
  }

  /** @param {string} words @param {() => void} act */
  #link(words, act) {
    const link = el("button", { type: "button", class: "link" }, isolated(words));
    link.addEventListener("click", () => {
      this.close();
      act();
    });
    return link;
  }
}
