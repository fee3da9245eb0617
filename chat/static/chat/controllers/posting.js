// @ts-check
/** What one says, and what one does to messages. */
import { copyText } from "../lib/clipboard.js";
import { deleteDialog } from "./buttons.js";
import { byId } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { signature } from "../state/session.js";
import {
  actions,
  composer,
  conversation,
  drafts,
  outbox,
  quotes,
  request,
  sender,
  session,
  store,
  typing,
} from "../app.js";

composer.on("send", (post) => {
  const { room } = conversation;
  if (room === null || session.me === null) {
    post.isTaken = false;
  } else if (outbox.isFull) {
    post.isTaken = false;
    composer.mention(gettext("Too many messages are waiting for the connection. This one stays here."));
  } else {
    typing.done();
    outbox.add({ roomId: room.id, body: post.body, replyTo: post.replyTo, as: signature(session.me) });
    conversation.toNewest();
  }
});
composer.on("edit", async (seq, body) => {
  const message = conversation.message(seq);
  const isDone = await attempt("edit-message", { seq, body });
  // The text is not lost: it is there to be sent again.
  if (!isDone && message !== undefined && conversation.message(seq) !== undefined && composer.isEmpty)
    composer.edit(message, body);
});
composer.on("edit-last", () => {
  const message = conversation.lastOwn;
  if (message !== undefined) composer.edit(message);
});
composer.on("concern", (seq) => {
  conversation.concern = seq;
});
composer.on("typed", () => typing.typed());
composer.on("draft", (draft) => {
  if (conversation.room !== null) drafts.set(conversation.room.id, draft);
});

actions.on("reply", (seq) => {
  const message = conversation.message(seq);
  if (message !== undefined) composer.reply(message);
});
actions.on("edit", (seq) => {
  const message = conversation.message(seq);
  if (message !== undefined) composer.edit(message);
});
actions.on("delete", (seq) => {
  const message = conversation.message(seq);
  if (message !== undefined) deleteDialog.ask(message, message.author_id === session.me?.id);
});
actions.on("copy", async (seq) => {
  const message = conversation.message(seq);
  if (message === undefined) return;
  await copyText(message.body);
  composer.mention(gettext("Copied"));
});
actions.on("react", (seq, emoji) => {
  const { me } = session;
  const users = conversation.message(seq)?.reactions[emoji] ?? [];
  attempt("react", { seq, emoji, on: me?.id == null || !users.includes(me.id) });
});
actions.on("leave", () => composer.focus());
byId("messages").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (button?.dataset.jump !== undefined) conversation.jumpTo(Number(button.dataset.jump));
  if (button?.dataset.retry !== undefined && session.me !== null)
    outbox.retry(button.dataset.retry, signature(session.me));
  if (button?.dataset.discard !== undefined) outbox.discard(button.dataset.discard);
});

outbox.on("change", () => sender.flush());
store.on("changed", (room, messages) => {
  quotes.changed(room, messages);
  if (room !== conversation.room) return;
  for (const message of messages) if (message.deleted) composer.forget(message.seq);
});

/**
 * Changes a message of the open room; says so if it fails. Answers whether it is done.
 * @param {string} op @param {{seq: number, [more: string]: any}} params
 */
async function attempt(op, params) {
  const { room } = conversation;
  if (room === null) return false;
  try {
    const message = await request(op, { room: room.name, ...params });
    store.patch(message);
    store.expect(room, message.version);
    return true;
  } catch (error) {
    composer.mention(
      interpolate(gettext("That did not work: %(reason)s."), { reason: /** @type {Error} */ (error).message }),
    );
    return false;
  }
}

/** @param {import("../types.js").Message} message @param {string} reason */
export async function remove(message, reason) {
  const { room } = conversation;
  if (room === null) return;
  const removed = await request("delete-message", { room: room.name, seq: message.seq, reason });
  store.patch(removed);
  store.expect(room, removed.version);
  composer.forget(message.seq);
}
