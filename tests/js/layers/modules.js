import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a module imports; a type that is imported counts as well. */
const IMPORT = /(?:from|import|import\()\s*["'](\.[^"']+)["']/g;

/** The modules of a folder and of those in it, by their paths. */
export class Modules {
  #root;

  /** @param {string} folder from the root of the repository */
  constructor(folder) {
    this.#root = fileURLToPath(new URL(`../../../${folder}/`, import.meta.url));
    this.paths = readdirSync(this.#root, { recursive: true }).filter((path) => path.endsWith(".js"));
  }

  source(path) {
    return readFileSync(join(this.#root, path), "utf-8");
  }

  lines(path) {
    return this.source(path).split("\n").length - 1;
  }

  /** Paths, those outside of the folder included. */
  importsOf(path) {
    return [...this.source(path).matchAll(IMPORT)].map(([, to]) => join(dirname(path), to));
  }

  /** Modules that import each other, from the first back to it; null if there are none. */
  circle() {
    const done = new Set();
    const visit = (path, way) => {
      if (way.includes(path)) return [...way, path];
      if (done.has(path) || !this.paths.includes(path)) return null;
      for (const imported of this.importsOf(path)) {
        const circle = visit(imported, [...way, path]);
        if (circle !== null) return circle;
      }
      done.add(path);
      return null;
    };
    for (const path of this.paths) {
      const circle = visit(path, []);
      if (circle !== null) return circle;
    }
    return null;
  }
}
