import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, roomIn } from "../../../chat/static/chat/lib/address.js";

for (const name of ["animals", "王小明", "a b", "c#", "a/b", "100%", "?x=1&y", "a+b", "😀"]) {
  test(`the address of ${name} leads back to it`, () => assert.equal(roomIn(hashOf(name)), name));
}

test("an address that was typed by hand is taken as it stands", () => {
  assert.equal(roomIn("#100%"), "100%");
  assert.equal(roomIn(""), null);
  assert.equal(roomIn("#"), null);
});
