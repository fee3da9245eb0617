// @ts-check
/**
 * A form for what an operation takes, from its JSON Schema.
 *
 * An object has one input for each property, and so has an object that it requires; arrays, unions and what
 * lies deeper are a text of JSON. Only what cannot be sent at all is refused here: the server judges values.
 *
 * @typedef {Record<string, any>} Schema
 * @typedef {{element: HTMLElement, read: () => any}} Field `read` returns undefined for what is left out
 */
import { gettext } from "./wording.js";

/** Objects within objects that have inputs of their own: a type may contain itself. */
const MAX_DEPTH = 2;

let lastId = 0;

/** Whether a payload is raw bytes instead of JSON. @param {Schema} schema */
export const isRaw = (schema) => schema.contentMediaType === "application/octet-stream";

/**
 * @param {{params: Schema}} operation @param {Record<string, Schema>} defs
 * @returns {{element: HTMLElement, value: () => any}} `value` returns what is to be sent: text if it is raw,
 *   undefined if the operation takes nothing. It throws an Error with a sentence that names the field.
 */
export function operationForm({ params }, defs) {
  const form = new Form(defs);
  const whole = form.resolve(params);
  if (whole.type === "null") {
    const element = el("div", {}, el("p", { class: "quiet-text" }, gettext("Takes nothing.")));
    return { element, value: () => undefined };
  }
  if (isRaw(whole)) return only(form.text("params", {}));
  const object = form.objectIn(whole);
  if (object !== null) return switchable(form, form.group("", object, 0));
  return form.isPlain(whole) ? switchable(form, form.field("params", whole, true, 0)) : only(form.json("params", whole, true));
}

/** @param {Field} field */
function only(field) {
  return { element: el("div", { class: "operation-form" }, field.element), value: guarded(field) };
}

/** Inputs, or one text of JSON for all of them. @param {Form} form @param {Field} field */
function switchable(form, field) {
  const asJson = el("input", { type: "checkbox", role: "switch" });
  const json = form.json("params", {}, true);
  const text = /** @type {HTMLTextAreaElement} */ (json.element.querySelector("textarea"));
  const shown = () => {
    json.element.hidden = !asJson.checked;
    field.element.hidden = asJson.checked;
  };
  asJson.addEventListener("change", () => {
    if (asJson.checked) text.value = JSON.stringify(attempt(field) ?? {}, null, 2);
    shown();
  });
  shown();
  const label = el("label", { class: "choice" }, asJson, gettext("as JSON"));
  const element = el("div", { class: "operation-form" }, field.element, json.element, label);
  const values = { inputs: guarded(field), json: guarded(json) };
  return { element, value: () => (asJson.checked ? values.json() : values.inputs()) };
}

/** What the inputs hold so far. @param {Field} field */
function attempt(field) {
  try {
    return field.read();
  } catch {
    return undefined;
  }
}

/** Marks the input at fault, and no other. @param {Field} field */
function guarded(field) {
  return () => {
    for (const each of field.element.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
    try {
      return field.read();
    } catch (error) {
      if (error instanceof Unfit) error.point();
      throw error;
    }
  };
}

/** What stands in an input is nothing that can be sent. */
class Unfit extends Error {
  #input;

  /** @param {string} name @param {string} sentence @param {HTMLElement} input */
  constructor(name, sentence, input) {
    super(`${name}: ${sentence}`);
    this.#input = input;
  }

  point() {
    this.#input.setAttribute("aria-invalid", "true");
    this.#input.focus();
  }
}

class Form {
  #defs;

  /** @param {Record<string, Schema>} defs */
  constructor(defs) {
    this.#defs = defs;
  }

  /** @param {Schema} schema @returns {Schema} */
  resolve(schema) {
    if (schema.$ref === undefined) return schema;
    return this.resolve(this.#defs[schema.$ref.slice("#/$defs/".length)]);
  }

  /** The object that a schema describes: all of it, or the only one of a union. @param {Schema} schema */
  objectIn(schema) {
    const objects = (schema.anyOf ?? [schema])
      .map((/** @type {Schema} */ each) => this.resolve(each))
      .filter((/** @type {Schema} */ each) => each.properties !== undefined);
    return objects.length === 1 ? objects[0] : null;
  }

  /** @param {Schema} schema */
  isPlain(schema) {
    return schema.enum !== undefined || ["boolean", "integer", "number", "string"].includes(schema.type);
  }

  /** One field for each property. @param {string} path @param {Schema} schema @param {number} depth @returns {Field} */
  group(path, schema, depth) {
    const required = new Set(schema.required);
    const fields = Object.entries(schema.properties).map(([name, each]) => {
      const field = this.field(path ? `${path}.${name}` : name, each, required.has(name), depth);
      return /** @type {const} */ ([name, field]);
    });
    const elements = fields.map(([, field]) => field.element);
    const element = path
      ? el("fieldset", {}, el("legend", {}, path), ...elements)
      : el("div", { class: "fields" }, ...elements);
    const read = () => {
      const values = fields.map(([name, field]) => [name, field.read()]);
      return Object.fromEntries(values.filter(([, value]) => value !== undefined));
    };
    return { element, read };
  }

  /** @param {string} path @param {Schema} given @param {boolean} required @param {number} depth @returns {Field} */
  field(path, given, required, depth) {
    const schema = { ...this.#withoutNull(given), ...described(given) };
    if (schema.enum !== undefined) return this.#choice(path, schema, required);
    if (schema.type === "boolean" && !required && schema.default === undefined) {
      return this.#choice(path, { ...schema, enum: [true, false] }, required);
    }
    if (schema.type === "boolean") return this.#flag(path, schema);
    if (schema.type === "integer" || schema.type === "number") return this.#number(path, schema, required);
    if (schema.type === "string") return this.#string(path, schema, required);
    if (required && schema.properties !== undefined && depth < MAX_DEPTH) return this.group(path, schema, depth + 1);
    return this.json(path, schema, required);
  }

  /** Any text. @param {string} path @param {Schema} schema @returns {Field} */
  text(path, schema) {
    const area = el("textarea", { rows: 3 });
    return { element: labelled(path, schema, true, area), read: () => area.value };
  }

  /**
   * A text of JSON; other text is meant literally where a string is possible.
   * @param {string} path @param {Schema} schema @param {boolean} required @returns {Field}
   */
  json(path, schema, required) {
    const area = el("textarea", { rows: 4, class: "code", spellcheck: "false" });
    const takesText = (schema.anyOf ?? [schema]).some((/** @type {Schema} */ each) => each.type === "string");
    const read = () => {
      if (area.value.trim() === "" && !required) return undefined;
      try {
        return JSON.parse(area.value);
      } catch {
        if (takesText) return area.value;
        throw new Unfit(path, gettext("this is not JSON."), area);
      }
    };
    return { element: labelled(path, schema, required, area, "JSON"), read };
  }

  /** What may be null is left out instead. @param {Schema} schema */
  #withoutNull(schema) {
    const others = schema.anyOf?.filter((/** @type {Schema} */ each) => each.type !== "null");
    return this.resolve(others?.length === 1 ? others[0] : schema);
  }

  /** @param {string} path @param {Schema} schema @param {boolean} required @returns {Field} */
  #choice(path, schema, required) {
    const select = el("select", {}, required ? null : el("option", { value: "" }, "—"));
    for (const value of schema.enum) select.append(el("option", { value: JSON.stringify(value) }, String(value)));
    const read = () => (select.value === "" ? undefined : JSON.parse(select.value));
    return { element: labelled(path, schema, required, select), read };
  }

  /** @param {string} path @param {Schema} schema @returns {Field} */
  #flag(path, schema) {
    const input = el("input", { type: "checkbox", "data-field": path });
    input.checked = schema.default === true;
    return { element: el("label", { class: "choice" }, input, path), read: () => input.checked };
  }

  /** @param {string} path @param {Schema} schema @param {boolean} required @returns {Field} */
  #number(path, schema, required) {
    const { minimum = null, maximum = null } = schema;
    const step = schema.type === "integer" ? 1 : "any";
    const input = el("input", { type: "number", step, min: minimum, max: maximum, placeholder: preset(schema) });
    const read = () => {
      if (input.validity.badInput) throw new Unfit(path, gettext("this is not a number."), input);
      if (input.value !== "") return Number(input.value);
      if (required) throw new Unfit(path, gettext("a number is required."), input);
      return undefined;
    };
    return { element: labelled(path, schema, required, input), read };
  }

  /** @param {string} path @param {Schema} schema @param {boolean} required @returns {Field} */
  #string(path, schema, required) {
    const input = el("input", { type: "text", placeholder: preset(schema), autocomplete: "off" });
    const read = () => (input.value === "" && !required ? undefined : input.value);
    return { element: labelled(path, schema, required, input), read };
  }
}

/** What a union or a reference says itself of its value. @param {Schema} schema */
function described({ description, default: preset }) {
  return { ...(description && { description }), ...(preset != null && { default: preset }) };
}

/** The value of what is left out, as a hint. @param {Schema} schema @returns {string|null} */
const preset = (schema) => (schema.default === undefined || schema.default === "" ? null : String(schema.default));

/**
 * @param {string} path @param {Schema} schema @param {boolean} required @param {HTMLElement} input
 * @param {string} [format]
 */
function labelled(path, schema, required, input, format) {
  const id = `operation-form-${++lastId}`;
  input.id = id;
  input.dataset.field = path;
  const notes = [format, required ? gettext("required") : null].filter(Boolean).join(", ");
  const label = el("label", { for: id }, path, notes && el("small", {}, ` ${notes}`));
  if (!schema.description) return el("div", { class: "field" }, label, input);
  input.setAttribute("aria-describedby", `${id}-help`);
  const help = el("p", { class: "helptext", id: `${id}-help` }, schema.description);
  return el("div", { class: "field" }, label, input, help);
}

/**
 * An element with attributes (null is none) and children (strings become text).
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, string|number|null>} attributes @param {...(Node|string|null)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
