// @ts-check

/**
 * Two arrow keys move the focus among the buttons of an element, round and round.
 * @param {KeyboardEvent} event @param {HTMLElement} within @param {string} back @param {string} forth
 */
export function moveFocus(event, within, back, forth) {
  const move = event.key === back ? -1 : event.key === forth ? 1 : 0;
  if (move === 0) return;
  const buttons = /** @type {HTMLElement[]} */ ([...within.querySelectorAll("button:not([hidden])")]);
  const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (at < 0) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[(at + move + buttons.length) % buttons.length].focus();
}
