import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { emojiRuns } from "../../../chat/static/chat/lib/emoji.js";
import { beginning, lengthOf, linesOf, oneLine, pieces, safeHref, tokenize } from "../../../chat/static/chat/lib/text.js";

const long = JSON.parse(readFileSync(new URL("./long.json", import.meta.url), "utf-8"));
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
  [`https://${"a".repeat(256)}/`, []],
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

/** Of three times, in milliseconds. */
const fastest = (act) =>
  Math.min(
    ...[1, 2, 3].map(() => {
      const began = performance.now();
      act();
      return performance.now() - began;
    }),
  );

for (const [name, [begin, unit, end]] of Object.entries(long)) {
  test(`four times the text takes about four times as long: ${name}`, () => {
    const [short, long] = [16_000, 64_000].map((length) => {
      const body = begin + unit.repeat(length / unit.length) + end;
      return fastest(() => {
        for (const { text } of tokenize(body)) pieces(text).length + emojiRuns(text).length;
        linesOf(body) + oneLine(body).length;
      });
    });
    // What is quadratic takes 16 times as long; of what takes some milliseconds the clock says little.
    assert.ok(long < 8 * Math.max(short, 20), `${short} ms, ${long} ms`);
  });
}

test("the beginning of a text has as many lines as are asked for", () => {
  assert.deepEqual(beginning("a\nb\nc\nd", 2), [{ type: "text", text: "a\nb\n" }]);
  assert.deepEqual(beginning("x".repeat(200), 2), [{ type: "text", text: "x".repeat(160) }]);
  assert.deepEqual(beginning(`${"x".repeat(79)}\ny\nz`, 2), [{ type: "text", text: `${"x".repeat(79)}\ny\n` }]);
  assert.deepEqual(beginning("a `b` c", 2), tokenize("a `b` c"));
});

test("a beginning ends in no block, address or character that is broken", () => {
  assert.deepEqual(beginning("a\n```\nb\nc\nd\n```", 3), [
    { type: "text", text: "a" },
    { type: "pre", text: "b\nc\n" },
  ]);
  const address = `http://a.example/${"b".repeat(200)}`;
  assert.equal(beginning(address, 1)[0].href, address);
  assert.equal(beginning(`${"x".repeat(79)}😀`, 1)[0].text, "x".repeat(79));
});

test("a very long word is cut in pieces, and nothing is lost", () => {
  for (const word of ["x".repeat(200), "🏽".repeat(200), "กา".repeat(200)]) {
    const cut = pieces(`so ${word}, they said`);
    assert.ok(cut.length > 2);
    assert.equal(cut.join(""), `so ${word}, they said`);
  }
  assert.deepEqual(pieces("no word of this is long, ".repeat(100)).length, 1);
});

test("a piece ends behind the marks of its last letter", () => {
  assert.deepEqual(pieces("e\u0301".repeat(40)), ["e\u0301".repeat(32), "e\u0301".repeat(8)]);
  assert.deepEqual(pieces(`${"x".repeat(64)}\u0301y`), [`${"x".repeat(64)}\u0301`, "y"]);
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
