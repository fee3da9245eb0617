import assert from "node:assert/strict";
import { test } from "node:test";
import { newId } from "../../../chat/static/chat/lib/uuid.js";
import "../samples.js";

test("ids are UUIDs, each another", () => {
  assert.match(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newId(), newId());
});
