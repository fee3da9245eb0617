/* The arrows between the folders of the page, and how large a folder, a file and a class may grow. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { test } from "node:test";
import { Modules } from "./modules.js";

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

const modules = new Modules("chat/static/chat");
/** The folder below the root, or the module that stands in none. */
const floorOf = (path) => path.match(/^(?:\.\.\/)?[^/]+/)[0];

test("every module stands on a floor that has its arrows", () => {
  assert.deepEqual(new Set(modules.paths.map(floorOf)), new Set(Object.keys(ARROWS)));
});

for (const [floor, below] of Object.entries(ARROWS)) {
  test(`${floor} imports ${below.join(", ") || "only itself"}`, () => {
    const allowed = new Set([floor, ...below]);
    for (const path of modules.paths.filter((each) => floorOf(each) === floor)) {
      const others = modules.importsOf(path).filter((imported) => !allowed.has(floorOf(imported)));
      assert.deepEqual(others, [], path);
    }
  });
}

test("no modules import each other in a circle", () => assert.equal(modules.circle(), null));

test("what is imported is there", () => {
  const imported = new Set(modules.paths.flatMap((path) => modules.importsOf(path)));
  const missing = [...imported].filter((path) => floorOf(path) !== "../rpc" && !modules.paths.includes(path));
  assert.deepEqual(missing, []);
});

test(`a folder has at most ${MOST_MODULES} modules`, () => {
  for (const folder of new Set(modules.paths.map(dirname))) {
    const { length } = modules.paths.filter((path) => dirname(path) === folder);
    assert.ok(length <= MOST_MODULES, `${folder}: ${length}`);
  }
});

for (const path of modules.paths) {
  test(`${path} can be read at one sitting`, () => {
    assert.ok(modules.lines(path) <= MOST_LINES);
    for (const body of modules
      .source(path)
      .split(/^(?:export )?class /m)
      .slice(1))
      assert.ok([...body.matchAll(METHOD)].length <= MOST_METHODS, body.slice(0, 40));
  });
}
