/* The parts of gotalk.js, which gotalk_js.py joins in the order of their imports. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Modules } from "../layers/modules.js";

const MOST_PARTS = 15;
const MOST_LINES = 400;

const parts = new Modules("rpc/contrib/django/static/rpc/gotalk");

test("no parts import each other in a circle: one would run before what it needs", () => {
  assert.equal(parts.circle(), null);
});

test("there are few parts, and each can be read at one sitting", () => {
  assert.ok(parts.paths.length <= MOST_PARTS);
  assert.deepEqual(
    parts.paths.filter((path) => parts.lines(path) > MOST_LINES),
    [],
  );
});
