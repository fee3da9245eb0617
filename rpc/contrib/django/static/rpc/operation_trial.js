// @ts-check
/** One operation that is tried: what is put in, and what comes out. */
import { isRaw, operationForm } from "./operation_form.js";
import { gettext, interpolate } from "./wording.js";

/** @typedef {Record<string, any>} Schema */
/** @typedef {{params: Schema, result?: Schema}} Entry */

const strictDecoder = new TextDecoder("utf-8", { fatal: true });

/** @param {any} payload text or bytes @returns {string} bytes that are no text as hex */
function textOf(payload) {
  if (typeof payload === "string") return payload;
  try {
    return strictDecoder.decode(payload);
  } catch {
    return Array.from(payload, (/** @type {number} */ byte) => byte.toString(16).padStart(2, "0")).join(" ");
  }
}

/** @param {Schema} schema @param {any} value @returns {string|null} the payload of params */
const encoded = (schema, value) => (isRaw(schema) ? value : value === undefined ? null : JSON.stringify(value));

/** @param {Schema} schema @param {any} payload */
function shown(schema, payload) {
  const text = textOf(payload);
  return isRaw(schema) ? text : JSON.stringify(JSON.parse(text || "null"), null, 2);
}

/** Lines as the parts of a stream: an empty one is none. @param {Schema} schema @param {HTMLTextAreaElement} area */
function partsOf(schema, area) {
  const lines = area.value.split("\n").filter((line) => line.trim() !== "");
  if (isRaw(schema)) return lines;
  return lines.map((line, index) => {
    try {
      return JSON.stringify(JSON.parse(line));
    } catch {
      throw new Error(interpolate(gettext("Part %(number)s is not JSON."), { number: index + 1 }));
    }
  });
}

/** @param {string} id @returns {DocumentFragment} */
const copyOf = (id) => /** @type {any} */ (document.getElementById(id)).content.cloneNode(true);

export class Trial {
  #sock;
  #name;
  #kind;
  #entry;
  #form;
  #inputs;
  #isRunning = false;
  #giveUp = () => {};

  /**
   * @param {any} sock @param {string} name @param {string} kind "request", "stream" or "notification"
   * @param {Entry} entry what `$ops` says of it @param {Record<string, Schema>} defs
   */
  constructor(sock, name, kind, entry, defs) {
    this.#sock = sock;
    this.#name = name;
    this.#kind = kind;
    this.#entry = entry;
    this.#form = /** @type {HTMLFormElement} */ (copyOf("trial").firstElementChild);
    this.#inputs = kind === "stream" ? this.#lines() : operationForm(entry, defs);
    this.#within(".inputs").append(this.#inputs.element);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#isRunning) this.#run();
    });
    this.#cancelButton.addEventListener("click", () => this.#giveUp());
  }

  /** @param {HTMLElement} element */
  showIn(element) {
    element.append(this.#form);
  }

  get #cancelButton() {
    return this.#within("button[type=button]");
  }

  /** @param {string} selector @returns {any} */
  #within(selector) {
    return this.#form.querySelector(selector);
  }

  /** A text with a part in each line. */
  #lines() {
    const element = /** @type {HTMLElement} */ (copyOf("parts").firstElementChild);
    const area = /** @type {HTMLTextAreaElement} */ (element.querySelector("textarea"));
    const label = /** @type {HTMLLabelElement} */ (element.querySelector("label"));
    area.id = label.htmlFor = `parts-${this.#name}`;
    return { element, value: () => partsOf(this.#entry.params, area) };
  }

  async #run() {
    let value;
    this.#clear();
    try {
      value = this.#inputs.value();
    } catch (/** @type {any} */ error) {
      this.#say(error.message, "failed");
      return;
    }
    this.#setRunning(true);
    const start = performance.now();
    try {
      const outcome = await this.#ask(value);
      this.#say(`${outcome}, ${elapsed(start)}`, "done");
    } catch (/** @type {any} */ error) {
      this.#say(`${error.message} (${elapsed(start)})`, "failed");
      this.#blame(error);
    } finally {
      this.#setRunning(false);
    }
  }

  /** Resolves to what became of it, in a word. @param {any} value @returns {Promise<string>} */
  async #ask(value) {
    if (this.#kind === "stream") return this.#stream(value);
    const payload = encoded(this.#entry.params, value);
    if (this.#kind === "notification") {
      this.#sock.bufferNotify(this.#name, payload);
      return gettext("Sent");
    }
    const controller = new AbortController();
    this.#giveUp = () => controller.abort(new Error(gettext("Cancelled")));
    // One sees the wish of the server for a pause, instead of waiting for its end.
    const options = { retries: 0, signal: controller.signal };
    this.#show(await this.#sock.bufferRequest(this.#name, payload, options));
    return gettext("Answered");
  }

  /** @param {string[]} parts */
  async #stream(parts) {
    const stream = this.#sock.bufferStream(this.#name);
    this.#giveUp = () => stream.cancel();
    const write = async () => {
      for (const part of parts) await stream.write(part);
      stream.end();
    };
    const read = async () => {
      for await (const part of stream) this.#show(part);
    };
    await Promise.all([read(), write()]);
    return gettext("Ended");
  }

  /** Adds a result, or a part of it, to the answer. @param {any} payload */
  #show(payload) {
    const part = document.createElement("div");
    part.textContent = shown(/** @type {Schema} */ (this.#entry.result), payload);
    const answer = this.#within(".answer");
    answer.hidden = false;
    answer.append(part);
    answer.scrollTop = answer.scrollHeight;
  }

  /** @param {{code?: string, field?: string}} error */
  #blame({ code, field }) {
    this.#within(".fault").hidden = code === undefined && field === undefined;
    this.#within(".fault-code").textContent = code ?? "–";
    this.#within(".fault-field").textContent = field ?? "–";
    const input = field && this.#within(`[data-field="${CSS.escape(field)}"]`);
    if (input) input.setAttribute("aria-invalid", "true");
  }

  #clear() {
    this.#within(".answer").replaceChildren();
    this.#within(".answer").hidden = this.#within(".fault").hidden = true;
    this.#say("", "none");
  }

  /** @param {string} text @param {string} outcome */
  #say(text, outcome) {
    const verdict = this.#within(".verdict");
    verdict.textContent = text;
    verdict.dataset.outcome = outcome;
  }

  /** @param {boolean} isRunning */
  #setRunning(isRunning) {
    const cancel = this.#cancelButton;
    const send = this.#within("button[type=submit]");
    // Not `disabled`, which would take the focus from who works by keyboard.
    send.setAttribute("aria-disabled", String(isRunning));
    if (cancel === document.activeElement) send.focus();
    cancel.hidden = !isRunning || this.#kind === "notification";
    this.#isRunning = isRunning;
  }
}

/** @param {number} start */
const elapsed = (start) => `${Math.round(performance.now() - start)} ms`;
