import assert from "node:assert/strict";
import { test } from "node:test";
import { asText, hexDump, hexOf, joined, parseHex } from "../../../chat/static/chat/console/bytes.js";

for (const [written, bytes] of [
  ["", []],
  ["00ff", [0, 255]],
  ["00 FF\n7a", [0, 255, 0x7a]],
  ["0x00, 0xff", [0, 255]],
  ["00:ff", [0, 255]],
]) {
  test(`hex may be written as ${JSON.stringify(written)}`, () => assert.deepEqual([...parseHex(written)], bytes));
}

test("what is no hex digit is named", () => {
  assert.throws(() => parseHex("72 3g"), { name: "RangeError", message: "“g” is not a hex digit." });
});

test("half a byte is refused", () => {
  assert.throws(() => parseHex("723"), { message: "A hex digit is missing: each byte has two." });
});

test("a dump has the offset, the bytes and their ASCII", () => {
  assert.equal(
    hexDump(Uint8Array.from("r0001004echo\u0000\u00ff!?z", (char) => char.charCodeAt(0))),
    "0000  72 30 30 30 31 30 30 34 65 63 68 6f 00 ff 21 3f  r0001004echo..!?\n" +
      "0010  7a                                               z",
  );
});

test("bytes that are no UTF-8 have no text", () => {
  assert.equal(asText(Uint8Array.of(0xe5, 0xa5, 0xbd)), "好");
  assert.equal(asText(Uint8Array.of(0xe5, 0xa5)), null);
});

test("chunks are joined in their order", () => {
  assert.equal(hexOf(joined([Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)])), "010203");
});
