// @ts-check
/** Where a socket may go from here. */
import { gettext, interpolate } from "../lib/i18n.js";

/**
 * The whole address of a path on this host, or of a ws, wss, http or https address that is on it: the page's
 * policy (connect-src) lets no other through.
 * @param {string} text @param {{href: string, host: string}} page
 * @throws {RangeError} that says what to write instead
 */
export function socketAddress(text, page) {
  const address = text.trim();
  if (address === "") {
    throw new RangeError(gettext("Enter an address: a path such as /echo, or one that begins with ws://."));
  }
  const url = parsed(address, page.href);
  if (url === null || !/^(ws|http)s?:$/.test(url.protocol)) {
    throw new RangeError(
      interpolate(
        gettext(
          "“%(address)s” is not a WebSocket address: enter a path, or an address that begins with ws:// or wss://.",
        ),
        {
          address,
        },
      ),
    );
  }
  if (url.host !== page.host) {
    throw new RangeError(
      interpolate(gettext("This page can open sockets to %(host)s only. Use the console of the other site."), {
        host: page.host,
      }),
    );
  }
  url.protocol = url.protocol.replace("http", "ws");
  // A WebSocket address has no fragment.
  url.hash = "";
  return url.href;
}

/** @param {string} address @param {string} base */
function parsed(address, base) {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
}
