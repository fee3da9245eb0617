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
 * @typedef {"message"|"add"|"accept"|"decline"|"withdraw"|"remove"|"kick"} Choice what one may do about a person
 *
 * @typedef {(op: string, params: any) => Promise<any>} Request see `Connection.request`
 */

export {};
