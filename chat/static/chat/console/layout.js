// @ts-check
/** Which parts the composer shows. */

/** Whether a wire has messages of its own form, beside bare text and bytes. */
const STRUCTURED = new Set(["gotalk", "push"]);
/** Kinds of gotalk messages that carry nothing of the person's own. */
const BARE = new Set(["end", "cancel"]);
/** Kinds that belong to a request which was sent. */
const ABOUT_REQUEST = new Set(["part", "end", "cancel"]);

/** @typedef {{wire: string, mode: string, kind: string, payloadAs: string, hasForm: boolean}} Choices */

/** @param {string} wire */
export const modesOf = (wire) => (STRUCTURED.has(wire) ? ["message", "text", "hex"] : ["text", "hex"]);

/** How the payload is given: what was chosen, where that is possible. @param {Choices} choices */
export function sourceOf({ wire, mode, payloadAs, hasForm }) {
  if (mode !== "message") return mode;
  const hasNone = payloadAs === "form" && !(wire === "gotalk" && hasForm);
  return hasNone ? "text" : payloadAs;
}

/** @param {Choices} choices @returns {Set<string>} */
export function partsShown(choices) {
  const { wire, mode, kind, hasForm } = choices;
  if (mode !== "message") return new Set(["payload"]);
  const shown = new Set(wire === "push" ? ["opcode"] : ["kind", ABOUT_REQUEST.has(kind) ? "id" : "name"]);
  if (wire === "gotalk" && BARE.has(kind)) return shown;
  shown.add("payload-as");
  shown.add(sourceOf(choices) === "form" ? "form" : "payload");
  if (wire === "gotalk" && hasForm) shown.add("as-form");
  return shown;
}
