// @ts-check
/** What a close code means where the server gave no reason (RFC 6455 §7.4.1, gotalk's faults, our own). */
import { gettext } from "../lib/i18n.js";

/** @type {Map<number, () => string>} */
const MEANINGS = new Map([
  [1000, () => gettext("normal end")],
  [1001, () => gettext("the server goes away")],
  [1002, () => gettext("WebSocket protocol error")],
  [1003, () => gettext("this kind of frame is not accepted")],
  [1005, () => gettext("no code was given")],
  [1006, () => gettext("no close frame")],
  [1007, () => gettext("text that is not UTF-8")],
  [1009, () => gettext("message too big")],
  [1011, () => gettext("server error")],
  [4000, () => gettext("gotalk: abnormal end")],
  [4001, () => gettext("gotalk: unsupported version")],
  [4002, () => gettext("gotalk: invalid message")],
  [4003, () => gettext("gotalk: timeout")],
  [4400, () => gettext("bad message")],
  [4401, () => gettext("log in first")],
  [4403, () => gettext("not allowed")],
  [4404, () => gettext("no such door or room")],
  [4408, () => gettext("too slow")],
  [4429, () => gettext("too fast")],
  [4503, () => gettext("the server restarts")],
]);

/** The code, and the server's words or ours. @param {{code: number, reason: string}} event */
export function closeSummary({ code, reason }) {
  const words = reason || MEANINGS.get(code)?.();
  return words === undefined ? String(code) : `${code} (${words})`;
}
