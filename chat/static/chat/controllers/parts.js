// @ts-check
/**
 * What app.js makes, and each controller takes from it what it joins.
 *
 * @typedef {object} Parts
 * @property {import("../lib/storage.js").Memory} memory
 * @property {import("../net/connection.js").Connection} connection
 * @property {import("../types.js").Request} request
 * @property {import("../net/history.js").History} history
 * @property {import("../net/outbox.js").Outbox} outbox
 * @property {import("../net/sender.js").Sender} sender
 * @property {import("../state/session.js").Session} session
 * @property {import("../state/store.js").Store} store
 * @property {import("../state/marks.js").Marks} marks
 * @property {import("../state/drafts.js").Drafts} drafts
 * @property {import("../state/quotes.js").Quotes} quotes
 * @property {import("../state/contacts.js").Contacts} contacts
 * @property {import("../state/members.js").Members} members
 * @property {import("../state/typing.js").Typing} typing
 * @property {Map<number, string>} names user id → name, of those who were seen
 * @property {import("../view/messages/conversation.js").Conversation} conversation
 * @property {import("../view/messages/toolbar.js").Toolbar} toolbar
 * @property {import("../view/composer.js").Composer} composer
 * @property {import("../view/room_list.js").RoomList} roomList
 * @property {import("../view/contact_list.js").ContactList} contactList
 * @property {import("../view/people.js").PeopleList} peopleList
 * @property {import("../view/person_card.js").PersonCard} personCard
 * @property {import("../view/drawers.js").Drawers} drawers
 * @property {import("../view/notice.js").Notice} notice
 */

export {};
