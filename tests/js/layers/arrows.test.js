/* The arrows between the folders of the page, and how large a folder, a file and a class may grow. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../chat/static/chat/", import.meta.url));

/** What the modules of a folder may import beside each other; a type that is imported counts as well. */
const ARROWS = {
  lib: [],
  state: ["lib", "types.js"],
  net: ["lib", "state", "types.js"],
  view: ["lib", "types.js"],
  controllers: ["lib", "state", "net", "view", "types.js"],
  console: ["lib", "../rpc"],
  "types.js": [],
  "app.js": ["lib", "state", "net", "view", "controllers", "types.js"],
  "page.js": ["app.js", "lib"],
};
const MOST_MODULES = 15;
const MOST_LINES = 250;
const MOST_METHODS = 20;

/** A method, a getter or a setter that others may call, at the depth of a class. */
const METHOD = /^ {2}(?:static |async |get |set |\*)*(?!constructor\b)[a-z]\w*\(.*\) \{$/gm;
const IMPORT = /(?:from|import|import\()\s*"(\.[^"]+)"/g;

function modulesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return modulesIn(path);
    return path.endsWith(".js") ? [relative(ROOT, path)] : [];
  });
}

const source = (module) => readFileSync(join(ROOT, module), "utf-8");
const importsOf = (module) => [...source(module).matchAll(IMPORT)].map(([, to]) => join(dirname(module), to));
/** The folder below the root, or the module that stands in none. */
const floorOf = (module) => module.match(/^(?:\.\.\/)?[^/]+/)[0];

const MODULES = modulesIn(ROOT);

test("every module stands on a floor that has its arrows", () => {
  assert.deepEqual(new Set(MODULES.map(floorOf)), new Set(Object.keys(ARROWS)));
});

for (const [floor, below] of Object.entries(ARROWS)) {
  test(`${floor} imports ${below.join(", ") || "only itself"}`, () => {
    const allowed = new Set([floor, ...below]);
    for (const module of MODULES.filter((each) => floorOf(each) === floor)) {
      const others = importsOf(module).filter((imported) => !allowed.has(floorOf(imported)));
      assert.deepEqual(others, [], module);
    }
  });
}

test("no modules import each other in a circle", () => {
  const done = new Set();
  const visit = (module, path) => {
    assert.ok(!path.includes(module), [...path, module].join(" → "));
    if (done.has(module) || !MODULES.includes(module)) return;
    for (const imported of importsOf(module)) visit(imported, [...path, module]);
    done.add(module);
  };
  for (const module of MODULES) visit(module, []);
});

test("what is imported is there", () => {
  const own = MODULES.flatMap(importsOf).filter((imported) => floorOf(imported) !== "../rpc");
  assert.deepEqual(
    [...new Set(own)].filter((imported) => !MODULES.includes(imported)),
    [],
  );
});

test(`a folder has at most ${MOST_MODULES} modules`, () => {
  for (const folder of new Set(MODULES.map(dirname))) {
    const { length } = MODULES.filter((module) => dirname(module) === folder);
    assert.ok(length <= MOST_MODULES, `${folder}: ${length}`);
  }
});

for (const module of MODULES) {
  test(`${module} can be read at one sitting`, () => {
    const text = source(module);
    assert.ok(text.split("\n").length - 1 <= MOST_LINES);
    for (const body of text.split(/^(?:export )?class /m).slice(1))
      assert.ok([...body.matchAll(METHOD)].length <= MOST_METHODS, body.slice(0, 40));
  });
}
