// @ts-check
/** The close codes of the server that the page acts on; named as the server names them. */
export const LOG_IN = 4401;
export const NOT_ALLOWED = 4403;
export const RESTARTING = 4503;
