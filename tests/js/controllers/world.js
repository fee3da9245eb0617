import { Emitter } from "../../../chat/static/chat/lib/emitter.js";
import { Memory } from "../../../chat/static/chat/lib/storage.js";
import { Outbox } from "../../../chat/static/chat/net/outbox.js";
import { Marks } from "../../../chat/static/chat/state/marks.js";
import { Session } from "../../../chat/static/chat/state/session.js";
import { Store } from "../../../chat/static/chat/state/store.js";
import { FakeStorage, account } from "../samples.js";

/** The conversation as the controllers see it: what they show is kept, where the reader is the test says. */
class FakeConversation extends Emitter {
  isAtEnd = true;
  nearStart = false;
  nearEnd = false;
  isInFirstHalf = false;
  lastSeen = 0;
  /** What was shown last, and how often something was. */
  content = null;
  draws = 0;
  unseen = null;
  moves = [];

  begin() {
    this.isAtEnd = true;
  }

  show(content) {
    this.content = content;
    this.draws++;
  }

  showJump(unseen) {
    this.unseen = unseen;
  }

  toEnd() {
    this.moves.push("end");
  }

  toNew() {
    if (this.content.newAfter !== null) this.moves.push("new");
    return this.content.newAfter !== null;
  }

  toMessage(seq) {
    this.moves.push(seq);
  }
}

/** A page without a browser: its window is in focus, frames come when the test says so. */
export function makeWorld() {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible", isFocused: true });
  page.hasFocus = () => page.isFocused;
  const frames = [];
  globalThis.document = page;
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.requestAnimationFrame = (draw) => frames.push(draw);
  const memory = new Memory(new FakeStorage());
  const session = new Session();
  session.me = account;
  const marks = new Marks(memory);
  marks.become(account);
  return {
    session,
    marks,
    store: new Store(),
    outbox: new Outbox(memory),
    quotes: { of: () => undefined },
    names: new Map(),
    connection: Object.assign(new Emitter(), { isOnline: true }),
    conversation: new FakeConversation(),
    /** The reader looks at something else, or comes back. */
    look(isAttentive) {
      page.isFocused = isAttentive;
      page.dispatchEvent(new Event(isAttentive ? "focus" : "blur"));
    },
    /** What was asked to be drawn is. */
    draw() {
      for (const each of frames.splice(0)) each();
    },
  };
}
