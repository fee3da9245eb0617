// @ts-check
/** Keys that work anywhere on the page. */

/**
 * @param {{room: (letter: string) => boolean, step: (move: number, unseenOnly: boolean) => void,
 *   help: () => void}} means
 *   `room` goes to the room with this letter and says whether there is one
 */
export function listen({ room, step, help }) {
  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, altKey, shiftKey, metaKey } = event;
    if (event.isComposing || metaKey || document.querySelector("dialog[open]") !== null) return;
    if (ctrlKey && !altKey && !shiftKey) {
      const letter = letterOf(event);
      if (letter !== null && room(letter)) event.preventDefault();
    } else if (altKey && !ctrlKey && (key === "ArrowUp" || key === "ArrowDown")) {
      event.preventDefault();
      step(key === "ArrowUp" ? -1 : 1, shiftKey);
    } else if (key === "?" && !ctrlKey && !altKey && !isField(event.target)) {
      event.preventDefault();
      help();
    }
  });
}

/**
 * The Latin letter; on a keyboard of another script, the one that is printed beside.
 * @param {KeyboardEvent} event
 */
function letterOf({ key, code }) {
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  return /^\p{L}$/u.test(key) && /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : null;
}

/** @param {EventTarget|null} target */
const isField = (target) => target instanceof HTMLElement && target.matches("input, textarea, select");
