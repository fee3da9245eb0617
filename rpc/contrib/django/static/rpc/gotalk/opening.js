import { closeError } from "./connection.js";
import { timedOut } from "./errors.js";
import { warnDeveloper } from "./events.js";
import { resolveAddress } from "./page.js";

/** The operation to which a token goes, since a page can send no header with its WebSocket. */
const LOGIN = "login";
/** Codes of an error that says nothing about the token: the connection's, and those of a server that failed. */
const NOT_THE_TOKEN = new Set(["closed", "timeout", "internal"]);
const LOG_IN = 4401;

/** Whether the developer was told once that the address may be wrong. */
let wasHinted = false;

/**
 * Where to connect, and what comes first on each connection.
 * @param {string | import("../gotalk").ConnectionOptions} [given]
 */
export function destination(given) {
  const options = typeof given === "object" ? Object(given) : { address: given };
  return { url: resolveAddress(options.address), token: options.token, onConnect: options.onConnect };
}

/**
 * Makes one attempt, which ends in `opened(ws)` or `failed(error)`. Returns a function that gives it up.
 * @throws what the WebSocket throws
 */
export function openWebSocket(url, timeout, opened, failed) {
  const ws = new WebSocket(url);
  const settle = () => {
    clearTimeout(timer);
    ws.onopen = ws.onclose = ws.onerror = null;
  };
  const fail = (error) => {
    settle();
    ws.close();
    failed(error);
  };
  const timer = setTimeout(() => fail(new Error("connection failed: timeout")), timeout);
  ws.onclose = (event) => {
    if (!wasHinted) warnDeveloper(`cannot connect to ${url}: is gotalk.defaultResponderAddress right?`);
    wasHinted = true;
    fail(closeError(event, "connection failed") || new Error("connection failed"));
  };
  ws.onopen = () => {
    settle();
    opened(ws);
  };
  return fail;
}

/** Whether a connection ended because its token was refused: the next one would be, too. */
export const isRefused = (error) => Object(error).closeCode === LOG_IN;

/**
 * Does what comes first on a connection.
 * @param {import("../gotalk").FreshConnection} connection
 * @param {{token?: string, onConnect?: Function}} first
 * @param {number} timeout milliseconds for `onConnect`; 0 waits for ever
 */
export async function prepare(connection, { token, onConnect }, timeout) {
  if (token !== undefined) await logIn(connection, token);
  if (onConnect !== undefined) await within(timeout, onConnect(connection));
}

async function logIn(connection, token) {
  try {
    await connection.request(LOGIN, token);
  } catch (error) {
    const { message, code, retryAfterMs } = Object(error);
    if (NOT_THE_TOKEN.has(code) || retryAfterMs !== undefined) throw error;
    throw closeError({ code: LOG_IN, reason: message });
  }
}

function within(ms, outcome) {
  if (!(ms > 0)) return outcome;
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(timedOut()), ms)));
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}
