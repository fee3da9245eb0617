// @ts-check
/** What an answer that is an error says to the person. */
import { gettext } from "../lib/i18n.js";

const WORDS = new Map([
  ["closed", () => gettext("the connection was lost")],
  ["timeout", () => gettext("the server did not answer")],
  ["too_fast", () => gettext("you are posting too fast")],
  ["slow_mode", () => gettext("slow mode: one post at a time")],
  ["busy", () => gettext("the server is busy")],
  ["no_such_room", () => gettext("there is no such room")],
  ["no_such_person", () => gettext("there is nobody with this name")],
  ["banned", () => gettext("this person is banned")],
  ["no_such_message", () => gettext("this message is gone")],
  ["empty_message", () => gettext("it has no text")],
  ["empty_name", () => gettext("a name is needed")],
  ["too_long", () => gettext("it is too long")],
  ["archived", () => gettext("this room is archived")],
  ["read_only", () => gettext("only moderators may post in this room")],
  ["internal", () => gettext("something went wrong on the server")],
]);

/**
 * A sentence without a full stop. The server's own words where it may say more than its code does.
 * @param {any} error
 */
export function explain(error) {
  const words = WORDS.get(error?.code);
  if (words !== undefined) return words();
  return typeof error?.message === "string" && error.message !== ""
    ? error.message
    : gettext("something went wrong");
}
