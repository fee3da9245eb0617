import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_SHOWN_CHARS, dumped, readable } from "../../../chat/static/chat/console/readable.js";

const bytes = (text) => new TextEncoder().encode(text);

test("JSON stands on several lines", () => {
  assert.equal(
    readable(bytes('{"a":[1,{"b":null}],"c":"x, y: {z}"}')),
    '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": "x, y: {z}"\n}',
  );
});

test("what is empty stays on one line", () => {
  assert.equal(readable('{"a": {}, "b": [ ]}'), '{\n  "a": {},\n  "b": []\n}');
});

test("values of JSON are shown as they were sent", () => {
  assert.equal(readable("[12345678901234567890,1.0,-0]"), "[\n  12345678901234567890,\n  1.0,\n  -0\n]");
  assert.equal(readable('{"a":1,"a":2}'), '{\n  "a": 1,\n  "a": 2\n}');
  assert.equal(readable('["\\"}\\u0041\\\\"]'), '[\n  "\\"}\\u0041\\\\"\n]');
});

test("text that is not JSON stays as it is", () => {
  assert.equal(readable(bytes("我们都好 {")), "我们都好 {");
  assert.equal(readable("hello"), "hello");
});

test("bytes that are no text are in hex", () => {
  assert.equal(readable(Uint8Array.of(0xff, 0x61)), `0000  ff 61${" ".repeat(44)}.a`);
});

test("text with hidden characters is in hex", () => {
  assert.match(readable(bytes("a\u0000b")), /^0000 {2}61 00 62 /);
});

test("a long payload is cut, and says so", () => {
  const lines = readable("x".repeat(MAX_SHOWN_CHARS + 5)).split("\n");
  assert.equal(lines[0].length, MAX_SHOWN_CHARS);
  assert.equal(lines[1], "… and 5 more");
});

test("a cut does not halve a character", () => {
  const [shown] = readable(`x${"😀".repeat(MAX_SHOWN_CHARS)}`).split("\n");
  assert.equal(shown.length, MAX_SHOWN_CHARS - 1);
  assert.ok(shown.endsWith("😀"));
});

test("a long dump is cut, and says so", () => {
  assert.ok(dumped(new Uint8Array(2050)).endsWith("\n… and 2 more"));
});
