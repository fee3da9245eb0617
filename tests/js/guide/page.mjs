/* `node page.mjs ORIGIN SCRIPT`: runs a script as a page of a site does that has loaded gotalk.js from it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";

const DEBIAN_WS = "/usr/share/nodejs/ws";
const [origin, script] = process.argv.slice(2);
globalThis.WebSocket ??= createRequire(import.meta.url)(DEBIAN_WS).WebSocket;
globalThis.location = { href: `${origin}/page` };
globalThis.document = { currentScript: { src: `${origin}/gotalk/gotalk.js` } };
runInThisContext(readFileSync(new URL("../../../rpc/contrib/django/static/rpc/gotalk.js", import.meta.url), "utf8"));
await import(pathToFileURL(script));
