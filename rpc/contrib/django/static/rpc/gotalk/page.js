/** What the page gets as `gotalk`: main.js fills it, and some of it the page may set. */
export const gotalk = /** @type {import("../gotalk").Gotalk} */ ({});

/** Where this script came from; null when it was not loaded by a script element with an http address. */
function findScript() {
  /** @type {any} */
  const script = typeof document === "object" && document !== null ? document.currentScript : null;
  const url = script && script.src ? new URL(script.src) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}

export const scriptUrl = findScript();

function pageUrl() {
  return typeof location === "object" && location !== null ? new URL(location.href) : scriptUrl;
}

/** Accepts a whole ws(s) or http(s) address, //host/path, /path, and path, which starts at the host too. */
export function resolveAddress(addr) {
  const given = addr || gotalk.defaultResponderAddress;
  if (!given) throw new Error("no address: pass one or set gotalk.defaultResponderAddress");
  if (/^wss?:/i.test(given)) return given;
  const page = pageUrl();
  if (page === null) throw new Error(`"${given}" is not a whole address, and there is no page to start from`);
  const url = new URL(given, page.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export function directoryOf(script) {
  if (script === null) return "";
  const isSecure = script.protocol === "https:" || (pageUrl() || script).protocol === "https:";
  return `${isSecure ? "wss" : "ws"}://${script.host}${script.pathname.replace(/[^/]*$/, "")}`;
}

export const isLocal = (url) => url !== null && /^(localhost|127\.0\.0\.1|\[::1\]|.+\.local)$/.test(url.hostname);
