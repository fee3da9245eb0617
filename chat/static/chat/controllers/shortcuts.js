// @ts-check
/** Keys that work anywhere on the page, and the dialog that lists them. */
import { goTo } from "../lib/address.js";
import { byId } from "../lib/dom.js";
import { Dialog } from "../view/dialogs/dialog.js";

/**
 * @param {import("./parts.js").Parts & {navigation: import("./navigation.js").Navigation}} parts
 */
export function wireShortcuts({ store, roomList, navigation }) {
  const keysDialog = new Dialog(byId("keys-dialog"));
  byId("open-keys").addEventListener("click", () => keysDialog.open());

  const goToRoom = (/** @type {string} */ letter) => {
    const found = store.rooms.get(roomList.letters.get(letter) ?? -1);
    if (found !== undefined) goTo(found.name);
    return found !== undefined;
  };

  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, altKey, shiftKey, metaKey } = event;
    if (event.isComposing || metaKey || document.querySelector("dialog[open]") !== null) return;
    if (ctrlKey && !altKey && !shiftKey) {
      const letter = letterOf(event);
      if (letter !== null && goToRoom(letter)) event.preventDefault();
    } else if (altKey && !ctrlKey && (key === "ArrowUp" || key === "ArrowDown")) {
      event.preventDefault();
      navigation.step(key === "ArrowUp" ? -1 : 1, shiftKey);
    } else if (key === "?" && !ctrlKey && !altKey && !isField(event.target)) {
      event.preventDefault();
      keysDialog.open();
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
