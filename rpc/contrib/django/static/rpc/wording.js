// @ts-check
/** Wording: Django's JavaScript catalog where it is loaded, the English words elsewhere. */

/** @type {any} */
const catalog = globalThis;

/** @param {string} text @returns {string} */
export const gettext = (text) => (typeof catalog.gettext === "function" ? catalog.gettext(text) : text);

/** Fills `%(name)s` in a translated text. @param {string} format @param {Record<string, string|number>} values */
export const interpolate = (format, values) => format.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
