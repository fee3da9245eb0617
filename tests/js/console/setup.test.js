import assert from "node:assert/strict";
import { test } from "node:test";
import { socketAddress } from "../../../chat/static/chat/console/address.js";
import { Catalog, payloadOf } from "../../../chat/static/chat/console/catalog.js";
import { modesOf, partsShown, sourceOf } from "../../../chat/static/chat/console/layout.js";
import { readLink, writeLink } from "../../../chat/static/chat/console/link.js";

const page = new URL("http://chat.example:8000/console/#door=gotalk");
const securePage = new URL("https://chat.example/console/");

for (const [written, address] of [
  ["/gotalk/", "ws://chat.example:8000/gotalk/"],
  [" /echo?heartbeat=2 ", "ws://chat.example:8000/echo?heartbeat=2"],
  ["ws://chat.example:8000/ws/a%20b", "ws://chat.example:8000/ws/a%20b"],
  ["http://chat.example:8000/push#x", "ws://chat.example:8000/push"],
  ["//chat.example:8000/push", "ws://chat.example:8000/push"],
]) {
  test(`${written} is an address here`, () => assert.equal(socketAddress(written, page), address));
}

test("a path of a secure page is a secure address", () => {
  assert.equal(socketAddress("/push", securePage), "wss://chat.example/push");
});

for (const other of ["ws://chat.example/", "wss://evil.example:8000/", "//evil.example/", "/\\evil.example"]) {
  test(`${other} is another host`, () => {
    assert.throws(() => socketAddress(other, page), /^RangeError: This page can open sockets to chat.example:8000/);
  });
}

for (const nonsense of ["javascript:alert(1)", "ftp://chat.example:8000/", "ws://"]) {
  test(`${nonsense} is not a WebSocket address`, () => {
    assert.throws(() => socketAddress(nonsense, page), /is not a WebSocket address/);
  });
}

test("an address is needed", () => assert.throws(() => socketAddress(" ", page), /^RangeError: Enter an address/));

test("a link brings the set-up back", () => {
  const setUp = { door: "free", address: "/ws/猫 & Hund?names=1#x", wire: "text", mode: "hex" };
  assert.deepEqual(readLink(writeLink(setUp)), setUp);
});

test("a link leaves out what is empty, and what nobody should see", () => {
  assert.equal(writeLink({ door: "push", address: "", opcode: "101", payload: "secret" }), "#door=push&opcode=101");
});

test("a strange link is no set-up", () => assert.deepEqual(readLink("#animals&x=1&__proto__=2"), {}));

const catalog = new Catalog({
  operations: { echo: { kind: "request", params: {} }, sum: { kind: "stream", params: {} } },
  notifications: { typing: { params: {} } },
  $defs: { Room: {} },
});

test("each kind of message has its own list", () => {
  const names = (kind) => catalog.offered(kind).map(([name]) => name);
  assert.deepEqual([names("request"), names("stream"), names("notification")], [["echo"], ["sum"], ["typing"]]);
});

test("a notification is found among notifications only", () => {
  assert.ok(catalog.find("notification", "typing"));
  assert.equal(catalog.find("request", "typing"), undefined);
  assert.equal(catalog.find("request", "toString"), undefined);
});

test("without a catalog nothing is known", () => {
  assert.deepEqual(new Catalog(null).offered("request"), []);
  assert.deepEqual(new Catalog({ operations: null }).offered("request"), []);
});

test("a value is sent as JSON, raw text as it is, nothing as nothing", () => {
  assert.equal(payloadOf("a", false), '"a"');
  assert.equal(payloadOf(null, false), "null");
  assert.equal(payloadOf("a", true), "a");
  assert.equal(payloadOf(undefined, false), "");
});

const usual = { wire: "gotalk", mode: "message", kind: "request", payloadAs: "form", hasForm: false };
const shownFor = (choices) => [...partsShown({ ...usual, ...choices })].sort().join(" ");

for (const [situation, choices, parts] of [
  ["an operation that is unknown takes a payload", {}, "kind name payload payload-as"],
  ["an operation that is known has a form", { hasForm: true }, "as-form form kind name payload-as"],
  ["a form can be left", { hasForm: true, payloadAs: "hex" }, "as-form kind name payload payload-as"],
  ["a part belongs to a request", { kind: "part" }, "id kind payload payload-as"],
  ["an end carries nothing", { kind: "end" }, "id kind"],
  ["a cancellation carries nothing", { kind: "cancel" }, "id kind"],
  ["push has an opcode", { wire: "push", kind: "cancel" }, "opcode payload payload-as"],
  ["a bare frame is a payload", { mode: "hex", kind: "cancel" }, "payload"],
]) {
  test(situation, () => assert.equal(shownFor(choices), parts));
}

test("push has no forms", () => {
  const choices = { wire: "push", mode: "message", kind: "request", payloadAs: "form", hasForm: true };
  assert.equal(sourceOf(choices), "text");
});

test("only wires with messages of their own offer them", () => {
  assert.deepEqual(
    ["gotalk", "push", "text", "echo"].map((wire) => modesOf(wire).length),
    [3, 3, 2, 2],
  );
});
