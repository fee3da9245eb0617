import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { lengthOf, linesOf, oneLine, safeHref, tokenize } from "../../../chat/static/chat/lib/text.js";

const hostile = JSON.parse(readFileSync(new URL("./hostile.json", import.meta.url), "utf-8"));
const links = (body) =>
  tokenize(body)
    .filter((token) => token.type === "link")
    .map((token) => token.text);

for (const body of hostile) {
  test(`hostile text stays text: ${JSON.stringify(body).slice(0, 60)}`, () => {
    for (const token of tokenize(body)) {
      assert.ok(["text", "link", "code", "pre"].includes(token.type));
      assert.equal(typeof token.text, "string");
      if (token.type === "link")
        assert.ok(/^https?:$/.test(new URL(token.href).protocol) && new URL(token.href).username === "");
    }
    const shown = tokenize(body)
      .map((token) => token.text)
      .join("");
    for (const char of new Set(shown)) assert.ok(body.includes(char));
  });
}

test("an address becomes a link, the text around it stays", () => {
  assert.deepEqual(tokenize("see https://example.org/a?b=1#c now"), [
    { type: "text", text: "see " },
    { type: "link", text: "https://example.org/a?b=1#c", href: "https://example.org/a?b=1#c" },
    { type: "text", text: " now" },
  ]);
});

for (const [body, expected] of [
  ["Look: https://example.org.", ["https://example.org"]],
  ["(https://example.org/a)", ["https://example.org/a"]],
  ["https://en.example.org/wiki/Cat_(animal)", ["https://en.example.org/wiki/Cat_(animal)"]],
  ["是的，看https://example.org/猫。好", ["https://example.org/猫"]],
  ["看看（https://example.org/路径）吧", ["https://example.org/路径"]],
  ["<https://example.org>", ["https://example.org"]],
  ['"https://example.org"', ["https://example.org"]],
  ["https://a.example, http://b.example!", ["https://a.example", "http://b.example"]],
  ["HTTPS://EXAMPLE.ORG", ["HTTPS://EXAMPLE.ORG"]],
  ["ftp://example.org javascript:alert(1) data:text/html,x vbscript:x file:///etc/passwd", []],
  ["https://", []],
  ["https://bank.example@evil.example/", []],
  ["https://user:pass@evil.example/", []],
  ["nothttps://example.org", []],
  ["https://example.org/\u202egnp.exe", ["https://example.org/"]],
]) {
  test(`links of ${JSON.stringify(body)}`, () => assert.deepEqual(links(body), expected));
}

test("inline code is not looked into", () => {
  assert.deepEqual(tokenize("run `curl https://example.org` now"), [
    { type: "text", text: "run " },
    { type: "code", text: "curl https://example.org" },
    { type: "text", text: " now" },
  ]);
});

for (const body of ["`", "``", "a ` b", "`\n`", "` `", "``` open", "```", "``````", "a `b\nc` d"]) {
  test(`marks without their other half are text: ${JSON.stringify(body)}`, () => {
    assert.deepEqual(
      tokenize(body)
        .map((token) => token.text)
        .join(""),
      body,
    );
    assert.ok(tokenize(body).every((token) => token.type === "text"));
  });
}

test("a fenced block keeps its lines and loses its language", () => {
  assert.deepEqual(tokenize("try:\n```js\nif (a) {\n  b`c`;\n}\n```\nok?"), [
    { type: "text", text: "try:" },
    { type: "pre", text: "if (a) {\n  b`c`;\n}" },
    { type: "text", text: "ok?" },
  ]);
});

test("a fenced block in one line", () => {
  assert.deepEqual(tokenize("```a b```"), [{ type: "pre", text: "a b" }]);
});

test("a long text of marks is cut in linear time", () => {
  for (const unit of ["`", "```", "https://", "(", "a`b ", "`\n"]) tokenize(unit.repeat(16000 / unit.length));
});

test("empty text has no tokens", () => assert.deepEqual(tokenize(""), []));

test("only http and https with a host are addresses", () => {
  assert.equal(safeHref("https://example.org/a b"), "https://example.org/a%20b");
  assert.equal(safeHref("javascript:alert(1)"), null);
  assert.equal(safeHref("//example.org"), null);
});

test("a quote is one short line", () => {
  assert.equal(oneLine("a\n\n  b ```c```"), "a b c");
  assert.equal(oneLine("😀".repeat(200), 3), "😀😀😀…");
});

test("length counts code points, as the server does", () => assert.equal(lengthOf("a😀王"), 3));

for (const [body, lines] of [
  ["", 1],
  ["a\nb\n\nc", 4],
  ["x".repeat(81), 2],
  ["猫".repeat(81), 3],
]) {
  test(`${JSON.stringify(body.slice(0, 8))} of ${body.length} takes ${lines} lines`, () =>
    assert.equal(linesOf(body), lines));
}
