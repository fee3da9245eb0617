import assert from "node:assert/strict";
import { test } from "node:test";
import { gettext, interpolate, ngettext } from "../../../chat/static/chat/lib/i18n.js";

test("without a catalog the words are English", () => {
  assert.equal(gettext("Today"), "Today");
  assert.equal(ngettext("%(n)s person", "%(n)s people", 2), "%(n)s people");
  assert.equal(interpolate("%(n)s of %(name)s", { n: 2, name: "$&%(n)s" }), "2 of $&%(n)s");
});
