/* gotalk.js in Node: `node node.mjs arrive ADDRESS NAME` stays until standard input ends, `node node.mjs behave ADDRESS`. */
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";
import { gotalkScript } from "../js/gotalk_script.js";

const DEBIAN_WS = "/usr/share/nodejs/ws";
globalThis.WebSocket ??= createRequire(import.meta.url)(DEBIAN_WS).WebSocket;
runInThisContext(gotalkScript());

const [what, address, name] = process.argv.slice(2);
const { gotalk } = globalThis;
if (what === "arrive") {
  const { arrive } = await import("./peer.js");
  await arrive(gotalk, address, name);
  console.log("arrived");
  process.stdin.resume().on("end", () => process.exit());
} else {
  const { behaviours } = await import("../js/behaviours.js");
  for (const behave of behaviours) {
    await behave(gotalk, address).then(
      () => console.log(`ok ${behave.name}`),
      (error) => console.log(`not ok ${behave.name}: ${error.stack}`),
    );
  }
  process.exit();
}
