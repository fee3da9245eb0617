import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestFailed } from "../../../chat/static/chat/net/errors.js";

for (const [what, error, expected] of [
  ["a code with words of the page", { code: "closed", message: "socket is closed" }, "the connection was lost"],
  ["any other code", { code: "slow_down", message: "wait for the moderator" }, "wait for the moderator"],
  ["no words at all", { message: "" }, "something went wrong"],
]) {
  test(`an error with ${what} reads as a sentence`, () => assert.equal(new RequestFailed(error).message, expected));
}

test("code and wait of the server are kept", () => {
  const { code, retryAfterMs } = new RequestFailed({ code: "busy", message: "busy", retryAfterMs: 400 });
  assert.deepEqual({ code, retryAfterMs }, { code: "busy", retryAfterMs: 400 });
});
