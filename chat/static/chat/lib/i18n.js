// @ts-check
/** Wording: Django's JavaScript catalog (`/jsi18n/`) where it is loaded, the English words elsewhere. */

/** @type {any} */
const catalog = globalThis;

/** @param {string} text @returns {string} */
export function gettext(text) {
  return typeof catalog.gettext === "function" ? catalog.gettext(text) : text;
}

/** @param {string} one @param {string} many @param {number} count @returns {string} */
export function ngettext(one, many, count) {
  if (typeof catalog.ngettext === "function") return catalog.ngettext(one, many, count);
  return count === 1 ? one : many;
}

/**
 * Fills `%(name)s` in a translated text.
 * @param {string} format @param {Record<string, string|number>} values @returns {string}
 */
export function interpolate(format, values) {
  return format.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
}
