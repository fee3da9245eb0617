// @ts-check
/**
 * The data that modules hand each other: what the server sends, and what the page makes of it.
 *
 * @typedef {object} Message
 * @property {number} id
 * @property {number} room_id
 * @property {number} seq the room's version at its birth: the order
 * @property {number} version the room's version at its last change
 * @property {number} number its ordinal among the room's posts
 * @property {string} author
 * @property {number} author_id
 * @property {boolean} is_guest
 * @property {boolean} is_bot
 * @property {string} body empty when deleted
 * @property {string} at ISO 8601, UTC
 * @property {string} client_id
 * @property {string} via
 * @property {number|null} reply_to a seq
 * @property {string|null} edited_at
 * @property {boolean} deleted
 * @property {Record<string, number[]>} reactions emoji → user ids
 *
 * @typedef {object} Room
 * @property {number} id
 * @property {string} name
 * @property {string} title what it is called: a direct room by the name of the other person
 * @property {"public"|"private"|"direct"} kind
 * @property {string} topic
 * @property {number} version
 * @property {number} posts posts ever made
 * @property {number|null} read_seq
 * @property {number|null} read_posts null for a guest without an account, whose browser remembers
 * @property {number|null} unread
 * @property {number} mentions
 * @property {boolean} muted
 * @property {boolean} archived
 * @property {boolean} read_only
 * @property {"owner"|"moderator"|"member"|null} role
 * @property {boolean} can_post
 * @property {Closed|null} closed why one may not
 * @property {number} slow_mode_seconds between two posts of one person, 0 for no wait
 * @property {number} reports that wait for an answer; 0 for whoever may not see them
 *
 * @typedef {object} Closed
 * @property {"archived"|"calm"|"read-only"|"muted"|"address"|"declined"} by
 * @property {string} reason
 * @property {string|null} until ISO 8601, UTC
 *
 * @typedef {object} Me
 * @property {number|null} id null for a guest without an account
 * @property {string} key
 * @property {string} name
 * @property {boolean} is_guest
 * @property {boolean} is_bot
 * @property {boolean} is_staff
 * @property {boolean} logged_in
 * @property {boolean} can_create_rooms
 * @property {number} max_body_chars
 * @property {number} max_body_bytes as UTF-8
 * @property {"open"|"invitation"|"closed"} sign_up
 * @property {boolean} calm whether guests may only read
 * @property {string} objections where one objects to what moderators do; empty if that is not told
 * @property {string[]} may verbs of the server's table, on the whole site
 * @property {Record<string, string[]>} roles role in a room, `visitor` for none → verbs there
 *
 * @typedef {object} Person
 * @property {string} key
 * @property {number|null} id
 * @property {string} name
 * @property {boolean} is_guest
 * @property {boolean} is_bot
 * @property {boolean} [idle]
 * @property {boolean} [online]
 * @property {string|null} [role]
 *
 * @typedef {Pick<Person, "key"|"id"|"name"> & Partial<Person>} Someone a person of whom less may be known
 *
 * @typedef {object} Sanction
 * @property {"mute"|"ban"} kind
 * @property {string|null} room its name, null for the whole site
 * @property {string} reason
 * @property {string|null} until ISO 8601, UTC
 * @property {string} by a name
 *
 * @typedef {object} ShownPerson the answer of `show-person`
 * @property {Person} user
 * @property {boolean} online
 * @property {string[]} may verbs of the server's table that one may use upon them
 * @property {Sanction[]} sanctions those in force that one may end
 *
 * @typedef {object} Report
 * @property {number} id
 * @property {number} seq of the message
 * @property {string} author
 * @property {number} author_id
 * @property {string} reporter
 * @property {string} reason
 * @property {string} at ISO 8601, UTC
 * @property {{seq: number, author: string, body: string}[]} context what was said around it, then
 *
 * @typedef {object} Moderated the notification of this name
 * @property {string} act
 * @property {string|null} room
 * @property {string} reason
 * @property {string|null} until
 * @property {string} objections
 *
 * @typedef {object} Contact
 * @property {number} id
 * @property {string} key
 * @property {string} name
 * @property {"requested"|"asked"|"friends"|"declined"|"removed"} state requested: one asked; asked: they did
 *
 * @typedef {object} Entry a post that the server has not confirmed, see net/outbox.js
 * @property {string} clientId
 * @property {number} roomId
 * @property {string} body
 * @property {number|null} replyTo
 * @property {string} as who wrote it, see `signature` in state/session.js
 * @property {number} at milliseconds of the epoch
 * @property {"waiting"|"sending"|"sent"|"failed"} state
 * @property {string} reason why it waits or failed; empty if there is nothing to say
 * @property {number} due milliseconds of the epoch, 0 for at once
 * @property {number} attempts answers that asked to wait
 * @property {number} seq of its message once it is sent, else 0
 *
 * @typedef {{kind: "connecting"} | {kind: "online"} | {kind: "offline"}
 *   | {kind: "waiting", until: number, isRestart: boolean}
 *   | {kind: "ended", code: number, reason: string}} ConnectionState `until`: milliseconds of the epoch
 *
 * @typedef {{text: string, author: string}|null|undefined} Quote null: gone; undefined: not known yet
 *
 * @typedef {"message"|"add"|"accept"|"decline"|"withdraw"|"remove"} Choice what anybody may do about a person
 * @typedef {"mute"|"ban"|"kick"|"remove-messages"} Deed what moderators do to a person
 * @typedef {"room"|"site"} Place where it holds
 * @typedef {"read-only"|"write-again"|"slow-mode"|"calm"|"end-calm"|"close-sign-up"} Switch
 *
 * @typedef {(op: string, params: any) => Promise<any>} Request see `Connection.request`
 */

export {};
