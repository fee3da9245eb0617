// @ts-check
/** The form in which a message is written. */
import { isRaw, operationForm } from "../../rpc/operation_form.js";
import { byId, el } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { parseHex } from "./bytes.js";
import { Catalog, payloadOf } from "./catalog.js";
import { modesOf, partsShown, sourceOf } from "./layout.js";
import { OPCODES } from "./wires/push.js";

/** Parts of the form by their names in layout.js. */
const PARTS = ["kind", "name", "id", "opcode", "payload-as", "form", "payload"];
/** Fields that a link to this set-up holds. */
const KEPT = ["mode", "kind", "name", "opcode"];

export class Composer {
  #wire = "";
  #catalog = new Catalog(null);
  /** The kind whose operations the list holds. */
  #listedKind = "";
  /** The operation whose form is shown. @type {import("./catalog.js").Operation|undefined} */
  #operation;
  /** @type {{element: HTMLElement, value: () => any}|null} */
  #form = null;
  #payloadIsChosen = false;
  #lastRequest = "";
  /** Operation of a request that was sent. @type {(id: string) => string|undefined} */
  #operationOf = () => undefined;

  constructor() {
    byId("opcodes").append(
      ...[...OPCODES].flatMap(([opcode, { name, payload }]) =>
        payload === null ? [] : [el("option", { value: opcode }, name())],
      ),
    );
    byId("composer").addEventListener("input", (/** @type {InputEvent} */ { target }) => {
      if (target === byId("payload-as")) this.#payloadIsChosen = true;
      if (!byId("operation-form").contains(target)) this.#show();
    });
  }

  /** What a link to this set-up holds. */
  get setUp() {
    return Object.fromEntries(KEPT.map((name) => [name, byId(name).value]));
  }

  /** @param {Record<string, string>} setUp */
  restore(setUp) {
    for (const name of KEPT) {
      const field = byId(name);
      const isPossible =
        field instanceof HTMLSelectElement
          ? [...field.options].some(({ value, disabled }) => value === setUp[name] && !disabled)
          : name in setUp;
      if (isPossible) field.value = setUp[name];
    }
    this.#show();
  }

  /** Messages are written for this wire from now on. @param {string} wire */
  use(wire) {
    const modes = modesOf(wire);
    for (const option of byId("mode").options) option.hidden = option.disabled = !modes.includes(option.value);
    if (wire !== this.#wire) byId("mode").value = modes[0];
    this.#wire = wire;
    this.#show();
  }

  /** @param {any} answer to `$ops` */
  learn(answer) {
    this.#catalog = new Catalog(answer);
    // List and form may have been drawn from what an earlier server said.
    this.#listedKind = "";
    this.#operation = undefined;
    this.#show();
  }

  /**
   * Something was sent: parts, ends and cancellations are for the last request, until another is named.
   * @param {{lastRequest: string, operationOf: (id: string) => string|undefined}} sent
   */
  follow(sent) {
    this.#operationOf = (id) => sent.operationOf(id);
    if (sent.lastRequest !== this.#lastRequest) byId("id").value = this.#lastRequest = sent.lastRequest;
    this.#show();
  }

  /**
   * What is to be sent: a draft for the wire, or a frame as it is.
   * @returns {{draft: import("./wires/wire.js").Draft}|{frame: import("./wires/wire.js").Frame}}
   * @throws {Error} with a sentence that says what to correct
   */
  message() {
    if (byId("mode").value !== "message") return { frame: this.#payload() };
    const isWanted = partsShown(this.#choices).has("payload-as");
    return {
      draft: {
        kind: this.#kind,
        name: byId("name").value.trim(),
        id: byId("id").value.trim(),
        opcode: Number(byId("opcode").value || NaN),
        payload: isWanted ? this.#payload() : "",
      },
    };
  }

  get #kind() {
    return byId("kind").value;
  }

  /** @returns {import("./layout.js").Choices} */
  get #choices() {
    return {
      wire: this.#wire,
      mode: byId("mode").value,
      kind: this.#kind,
      payloadAs: byId("payload-as").value,
      hasForm: this.#operation !== undefined,
    };
  }

  #payload() {
    const source = sourceOf(this.#choices);
    if (source === "form" && this.#operation !== undefined) {
      return payloadOf(this.#form?.value(), isRaw(this.#operation.params));
    }
    const text = byId("payload").value;
    return source === "hex" ? parseHex(text) : text;
  }

  #show() {
    this.#listOperations();
    this.#showOperation();
    const shown = partsShown(this.#choices);
    for (const part of PARTS) byId(`part-${part}`).hidden = !shown.has(part);
    byId("as-form").hidden = byId("as-form").disabled = !shown.has("as-form");
    const source = sourceOf(this.#choices);
    if (shown.has("payload-as")) byId("payload-as").value = source;
    byId("payload").placeholder = source === "hex" ? "72 30 30 30 31" : "";
    const hint = OPCODES.get(Number(byId("opcode").value || NaN));
    byId("opcode-hint").textContent =
      hint === undefined || hint.payload === null
        ? ""
        : interpolate(gettext("%(name)s; payload: %(payload)s"), { name: hint.name(), payload: hint.payload() });
  }

  /** Not at each letter: an open list would close. */
  #listOperations() {
    if (this.#kind === this.#listedKind) return;
    this.#listedKind = this.#kind;
    const offered = this.#catalog.offered(this.#kind);
    const options = offered.map(([name, { doc }]) => el("option", { value: name }, doc ?? ""));
    byId("operations").replaceChildren(...options);
  }

  /** The form of the operation that is named. */
  #showOperation() {
    const kind = this.#kind;
    const name = kind === "part" ? this.#operationOf(byId("id").value.trim()) : byId("name").value.trim();
    const operation = name === undefined ? undefined : this.#catalog.find(kind, name);
    if (operation === this.#operation) return;
    const isFirst = this.#operation === undefined;
    this.#operation = operation;
    this.#form = operation === undefined ? null : operationForm(operation, this.#catalog.defs);
    byId("operation-form").replaceChildren(...(this.#form === null ? [] : [this.#form.element]));
    byId("operation-doc").textContent = operation?.doc ?? "";
    // A payload that was written by hand stays, and so does what was chosen before the server said what it has.
    if (isFirst && !this.#payloadIsChosen && byId("payload").value === "") byId("payload-as").value = "form";
  }
}
