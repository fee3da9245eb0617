import { readFileSync } from "node:fs";

const MAIN = new URL("../../rpc/contrib/django/static/rpc/gotalk/main.js", import.meta.url);
const IMPORT = /^import (?:(?:\{([^}]*)\}|\* as (\w+)) from )?"(\.[^"]+)";\n/gm;
const EXPORT = /^export (?:\{\};\n|((?:async )?function\*?|const|class) (\w+))/gm;

/** What rpc/contrib/django/joining.py makes, byte for byte, as tests/rpc/contrib/django/test_script.py sees to. */
export function gotalkScript() {
  const parts = new Map();
  const add = (url) => {
    const name = url.pathname.split("/").at(-1).replace(".js", "");
    if (parts.has(name)) return `$${name}`;
    const exported = [];
    const source = readFileSync(url, "utf-8")
      .replace(IMPORT, (_, some, whole, address) => {
        const module = add(new URL(address, url));
        if (some) return `const { ${some.replaceAll(" as ", ": ").trim().split(/\s+/).join(" ")} } = ${module};\n`;
        return whole ? `const ${whole} = ${module};\n` : "";
      })
      .replace(EXPORT, (_, kind, exports) => {
        if (!kind) return "";
        exported.push(exports);
        return `${kind} ${exports}`;
      })
      .trim();
    const returned = `return { ${exported.join(", ")} };`;
    parts.set(name, `// ${name}.js\n\nconst $${name} = (() => {\n${source}\n${returned}\n})();\n`);
    return `$${name}`;
  };
  add(MAIN);
  return `(function () {\n"use strict";\n\n${[...parts.values()].join("\n")}})();\n`;
}
