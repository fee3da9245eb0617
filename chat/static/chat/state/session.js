// @ts-check
/** @typedef {import("../types.js").Me} Me */

/** Who uses this page; nobody until the server has said it. */
export class Session {
  /** @type {Me|null} */
  me = null;

  /** The account's; null for a guest without one. */
  get id() {
    return this.me?.id ?? null;
  }

  get key() {
    return this.me?.key ?? "";
  }

  get name() {
    return this.me?.name ?? "";
  }
}

/**
 * Whose posts and marks these are: an account's, or those of whoever uses this browser as a guest.
 * @param {{id: number|null, logged_in: boolean}} me
 */
export const signature = (me) => (me.logged_in ? `u${me.id}` : "guest");
