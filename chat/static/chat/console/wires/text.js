// @ts-check
/** The hub's text door: a message is a line, several that waited come in one frame. */
import { gettext, interpolate } from "../../lib/i18n.js";
import { Wire, reading } from "./wire.js";

/** Begins a line that tells this client alone what went wrong. */
const ERROR_MARK = "! ";

export class TextWire extends Wire {
  /** @param {import("./wire.js").Frame} frame */
  readReceived(frame) {
    if (typeof frame !== "string") {
      return [reading({ payload: frame, note: gettext("This door sends text frames only.") })];
    }
    const lines = frame.split("\n");
    return lines.map((line, index) =>
      reading({
        fields: lines.length > 1 ? [[gettext("message"), place(index, lines.length)]] : [],
        payload: line,
        note: line.startsWith(ERROR_MARK) ? gettext("An error, sent to this connection only.") : null,
      }),
    );
  }
}

/** @param {number} index @param {number} count */
const place = (index, count) => interpolate(gettext("%(number)s of %(count)s"), { number: index + 1, count });
