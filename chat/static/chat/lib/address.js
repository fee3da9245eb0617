// @ts-check
/** The room stands in the address, behind the #. */

/** @param {string} name */
export const hashOf = (name) => `#${encodeURIComponent(name)}`;

/** The room named in `location.hash`, or null. @param {string} hash */
export function roomIn(hash) {
  const text = hash.replace(/^#/, "");
  if (text === "") return null;
  try {
    return decodeURIComponent(text);
  } catch {
    // Typed by hand: "#100%" names the room "100%".
    return text;
  }
}

/** The page follows its address. @param {string} name */
export function goTo(name) {
  location.hash = hashOf(name);
}
