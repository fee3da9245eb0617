// @ts-check
/** What one says, and what one does to messages. */
import { copyText } from "../lib/clipboard.js";
import { byId } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { signature } from "../state/session.js";
import { DeleteDialog } from "../view/dialogs/messages.js";

/**
 * @typedef {import("../types.js").Message} Message
 * @typedef {import("../state/store.js").RoomState} RoomState
 *
 * @param {import("./parts.js").Parts & {display: import("./display.js").Display,
 *   reading: import("./reading.js").Reading}} parts
 */
export function wirePosting(parts) {
  const { session, store, outbox, drafts, quotes, typing, sender, request } = parts;
  const { composer, toolbar, conversation, display, reading } = parts;
  const deleteDialog = new DeleteDialog(byId("delete-dialog"), remove);

  composer.on("send", (post) => {
    const { room } = reading;
    if (room === null || session.me === null) {
      post.isTaken = false;
    } else if (outbox.isFull) {
      post.isTaken = false;
      composer.mention(gettext("Too many messages are waiting for the connection. This one stays here."));
    } else {
      typing.done();
      outbox.add({ roomId: room.id, body: post.body, replyTo: post.replyTo, as: signature(session.me) });
      reading.toNewest();
    }
  });
  composer.on("edit", async (seq, body) => {
    const message = reading.message(seq);
    const isDone = await change("edit-message", { seq, body });
    // The text is not lost: it is there to be sent again.
    if (!isDone && message !== undefined && reading.message(seq) !== undefined && composer.isEmpty)
      composer.edit(message, body);
  });
  composer.on("edit-last", () => {
    const message = reading.lastOwn;
    if (message !== undefined) composer.edit(message);
  });
  composer.on("concern", (seq) => {
    reading.concern = seq;
  });
  composer.on("typed", () => typing.typed());
  composer.on("draft", (draft) => {
    if (reading.room !== null) drafts.set(reading.room.id, draft);
  });

  onMessage("reply", (message) => composer.reply(message));
  onMessage("edit", (message) => composer.edit(message));
  onMessage("delete", (message) => deleteDialog.ask(message, message.author_id === session.id));
  onMessage("copy", ({ body }) =>
    display.attempt(async () => {
      await copyText(body);
      composer.mention(gettext("Copied"));
    }),
  );
  onMessage("react", ({ seq, reactions }, emoji) => {
    const users = reactions[emoji] ?? [];
    change("react", { seq, emoji, on: session.id === null || !users.includes(session.id) });
  });
  toolbar.on("leave", () => composer.focus());

  conversation.on("retry", (clientId) => {
    if (session.me !== null) outbox.retry(clientId, signature(session.me));
  });
  conversation.on("discard", (clientId) => outbox.discard(clientId));
  outbox.on("change", () => sender.flush());
  store.on("changed", (room, messages) => {
    quotes.changed(room, messages);
    if (room !== reading.room) return;
    for (const message of messages) if (message.deleted) composer.forget(message.seq);
  });

  /** An action of the toolbar. @param {string} name @param {(message: Message, detail?: any) => void} act */
  function onMessage(name, act) {
    toolbar.on(name, (seq, detail) => {
      const message = reading.message(seq);
      if (message !== undefined) act(message, detail);
    });
  }

  /** Changes a message of the open room. @param {string} op @param {{seq: number, [more: string]: any}} params */
  async function change(op, params) {
    const { room } = reading;
    if (room === null) return false;
    return display.attempt(async () => show(room, await request(op, { room: room.name, ...params })));
  }

  /** @param {Message} message @param {string} reason */
  async function remove({ seq }, reason) {
    const { room } = reading;
    if (room === null) return;
    show(room, await request("delete-message", { room: room.name, seq, reason }));
    composer.forget(seq);
  }

  /** An answer is shown without waiting for its notification. @param {RoomState} room @param {Message} message */
  function show(room, message) {
    store.patch(message);
    store.expect(room, message.version);
  }
}
