// @ts-check
/** The console page: the set-up, the connection, the composer and the log, put together. */
import { copyText } from "../lib/clipboard.js";
import { byId } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { socketAddress } from "./address.js";
import { Composer } from "./composer.js";
import { eventEntry } from "./entries.js";
import { GotalkWire } from "./wires/gotalk.js";
import { readLink, writeLink } from "./link.js";
import { LogView } from "./log_view.js";
import { Session } from "./session.js";
import { WIRES } from "./wires/registry.js";

/** The value of the list of doors for an address of one's own. */
const FREE = "free";

/** @type {Array<{name: string, path: string, wire: string}>} */
const doors = JSON.parse(byId("doors").textContent);
const log = new LogView(byId("log"), byId("entries"));
const composer = new Composer();
/** The last connection. @type {Session|null} */
let session = null;
/** The operations that the composer knows. @type {any} */
let catalog = null;

const chosenDoor = () => doors.find((door) => door.name === byId("door").value);
const chosenWire = () => chosenDoor()?.wire ?? byId("wire").value;

/** The fields of the chosen door; its address too, unless it is kept. */
function showDoor({ keepsAddress = false } = {}) {
  const door = chosenDoor();
  if (!keepsAddress) byId("address").value = door?.path ?? "";
  byId("part-wire").hidden = door !== undefined;
  byId("part-stock").hidden = chosenWire() !== "gotalk";
  composer.use(chosenWire());
}

function showState() {
  const isOpen = session !== null && session.isOpen;
  const isOpening = session !== null && session.isOpening;
  const hadFocus = document.activeElement;
  byId("choices").disabled = isOpen || isOpening;
  byId("open").disabled = isOpen || isOpening;
  byId("close").disabled = !isOpen && !isOpening;
  byId("send").disabled = !isOpen;
  byId("state").textContent = isOpen ? gettext("Open") : isOpening ? gettext("Opening…") : gettext("Closed");
  byId("state").dataset.state = isOpen ? "open" : isOpening ? "opening" : "closed";
  // A button that was just used and is disabled now would drop the focus.
  if (hadFocus === byId("open") && isOpen) byId("close").focus();
  if (hadFocus === byId("close") && !isOpen && !isOpening) byId("open").focus();
}

/** @param {string} place id of the element beside what was wrong @param {any} error */
function fail(place, error) {
  byId(place).textContent = error.message;
  log.add(eventEntry("ERROR", error.message));
}

function open() {
  byId("setup-problem").textContent = "";
  try {
    const Wire = /** @type {NonNullable<ReturnType<typeof WIRES.get>>} */ (WIRES.get(chosenWire()));
    const address = socketAddress(byId("address").value, location);
    session = new Session(address, new Wire({ asStock: byId("stock").checked }));
  } catch (error) {
    fail("setup-problem", error);
    return;
  }
  const opened = session;
  opened.on("entry", (entry) => log.add(entry));
  opened.on("state", () => {
    learn(opened.wire);
    showState();
  });
  showState();
}

/** @param {import("./wires/wire.js").Wire} wire */
function learn(wire) {
  if (!(wire instanceof GotalkWire)) return;
  if (wire.catalog !== null && wire.catalog !== catalog) {
    catalog = wire.catalog;
    composer.learn(catalog);
  }
}

function send() {
  if (session === null || !session.isOpen) return;
  byId("composer-problem").textContent = "";
  try {
    const message = composer.message();
    session.send("frame" in message ? [message.frame] : session.wire.write(message.draft));
  } catch (error) {
    fail("composer-problem", error);
    return;
  }
  if (session.wire instanceof GotalkWire) composer.follow(session.wire);
  // On a phone the log is below the form.
  byId("record").scrollIntoView({ block: "nearest" });
}

function keepInLink() {
  const door = chosenDoor();
  const address = byId("address").value.trim();
  const setUp = {
    door: byId("door").value,
    address: address === door?.path ? "" : address,
    wire: door === undefined ? byId("wire").value : "",
    stock: byId("stock").checked && chosenWire() === "gotalk" ? "1" : "",
    ...composer.setUp,
  };
  history.replaceState(null, "", writeLink(setUp));
}

/** Takes the set-up from the page's address. A link only fills in: to open a door is for the person. */
function followLink() {
  const setUp = readLink(location.hash);
  const isKnown = setUp.door === FREE || doors.some((door) => door.name === setUp.door);
  if (isKnown) byId("door").value = setUp.door;
  if (WIRES.has(setUp.wire)) byId("wire").value = setUp.wire;
  byId("stock").checked = setUp.stock === "1";
  showDoor();
  if (setUp.address) byId("address").value = setUp.address;
  composer.restore(setUp);
}

byId("door").prepend(...doors.map(({ name, path }) => new Option(`${name}  ${path}`, name)));
byId("door").value = doors[0]?.name ?? FREE;
byId("door").addEventListener("change", () => showDoor());
byId("wire").addEventListener("change", () => showDoor({ keepsAddress: true }));
byId("setup").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  open();
});
byId("close").addEventListener("click", () => session?.close());
byId("composer").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  send();
});
byId("composer").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const isArea = event.target instanceof HTMLTextAreaElement;
  if (isArea && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    byId("composer").requestSubmit();
  }
});
for (const form of ["setup", "composer"]) {
  byId(form).addEventListener("change", keepInLink);
  byId(form).addEventListener("input", () => {
    byId(`${form}-problem`).textContent = "";
  });
}
byId("hide-heartbeats").addEventListener("change", () => {
  log.hidesHeartbeats = byId("hide-heartbeats").checked;
});
byId("clear").addEventListener("click", () => log.clear());
byId("copy").addEventListener("click", async () => {
  try {
    await copyText(log.text);
    byId("copied").textContent = gettext("Copied.");
  } catch {
    byId("copied").textContent = gettext("The browser does not allow this: select the text and copy it yourself.");
  }
});
addEventListener("hashchange", () => {
  if (!byId("choices").disabled) followLink();
});
followLink();
showState();
