/* gotalk.d.ts against the running script, by names; tests/js/types holds them together by types. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connectOurs } from "../fakes.js";

const DECLARED = readFileSync(new URL("../../../rpc/contrib/django/static/rpc/gotalk.d.ts", import.meta.url), "utf-8");

/** The names of an interface's own members. */
function members(name) {
  const [, body] = DECLARED.match(new RegExp(`^export interface ${name}\\b[^]*?\\{\\n([^]*?)^\\}`, "m"));
  return [...new Set([...body.matchAll(/^ {2}(?:readonly )?(\w+)[<(?:]/gm)].map(([, each]) => each))].sort();
}

function namesOf(object, last) {
  const names = new Set(Object.keys(object));
  for (let each = Object.getPrototypeOf(object); each !== last; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) names.add(name);
  }
  names.delete("constructor");
  return [...names].sort();
}

test("the global: has the declared names and no other", () => {
  const { gotalk } = connectOurs();
  assert.deepEqual(Object.keys(gotalk).sort(), members("Gotalk"));
});

test("a socket, handlers and the protocol: have the declared names and no other", () => {
  const { gotalk, sock } = connectOurs();
  assert.deepEqual(namesOf(sock, gotalk.EventEmitter.prototype), members("Socket"));
  assert.deepEqual(namesOf(new gotalk.EventEmitter(), Object.prototype), members("EventEmitter"));
  assert.deepEqual(namesOf(gotalk.Handlers(), Object.prototype), members("Handlers"));
  assert.deepEqual(Object.keys(gotalk.protocol).sort(), members("Protocol"));
});

test("streams, errors and keep-alive: have all declared names", () => {
  const { gotalk, sock } = connectOurs();
  const error = new gotalk.RequestError("no", { code: "no" });
  for (const [name, object] of [
    ["Stream", sock.stream("sum")],
    ["StreamRequest", sock.streamRequest("sum")],
    ["RequestError", error],
    ["KeepAlive", sock.keepalive],
  ]) {
    assert.deepEqual(
      members(name).filter((each) => !(each in object)),
      [],
      name,
    );
    assert.notEqual(members(name).length, 0);
  }
});
