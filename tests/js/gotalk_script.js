import { readFileSync } from "node:fs";

const PARTS = new URL("../../rpc/contrib/django/static/rpc/gotalk/", import.meta.url);
const IMPORT = /^import (?:\{[^}]*\} from )?"\.\/(\w+)\.js";\n/gm;

/** What rpc/contrib/django/gotalk_js.py serves, byte for byte, as tests/rpc/contrib/django/test_script.py sees to. */
export function gotalkScript() {
  const parts = new Map();
  const add = (name) => {
    if (parts.has(name)) return;
    const source = readFileSync(new URL(`${name}.js`, PARTS), "utf-8");
    for (const [, imported] of source.matchAll(IMPORT)) add(imported);
    parts.set(
      name,
      `// ${name}.js\n\n${source
        .replace(IMPORT, "")
        .replace(/^export /gm, "")
        .trim()}\n`,
    );
  };
  add("main");
  return `(function () {\n"use strict";\n\n${[...parts.values()].join("\n")}})();\n`;
}
