// @ts-check
/** What the page says where a request failed. */
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
  ["name_taken", () => gettext("this name is taken")],
  ["empty_name", () => gettext("a name is needed")],
  ["too_long", () => gettext("it is too long")],
  ["archived", () => gettext("this room is archived")],
  ["internal", () => gettext("something went wrong on the server")],
]);

/** A request has no result; `message` tells the person why: a sentence without a full stop. */
export class RequestFailed extends Error {
  /** @param {{code?: string, message?: string, retryAfterMs?: number}} error as gotalk.js rejects with it */
  constructor({ code, message, retryAfterMs }) {
    // The server's own words where they may say more than its code does.
    super(WORDS.get(code ?? "")?.() ?? (message || gettext("something went wrong")));
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
