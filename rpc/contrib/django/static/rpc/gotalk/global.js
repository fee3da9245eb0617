/** The global `gotalk`, which main.js fills: a page may set some of what the other parts read here. */
export const gotalk = /** @type {import("../gotalk").Gotalk} */ ({});
