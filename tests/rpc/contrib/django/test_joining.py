"""Modules as one script: what it does when it runs is what the modules do."""

import subprocess

import pytest

from rpc.contrib.django.joining import joined
from tests.deadlines import DEADLINE


def script_of(modules):
    return joined("page/main.js", modules.__getitem__)


def printed(modules):
    """What the script of page/main.js prints."""
    command = ["node", "-e", script_of(modules)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE)
    return done.stdout.split()


@pytest.mark.node
def test_each_module_runs_once_behind_those_that_it_imports():
    """However many import it, and wherever it lies."""
    modules = {
        "page/main.js": 'import { a } from "./a.js";\nimport { b } from "../b.js";\nconsole.log("main", a, b);\n',
        "page/a.js": 'import { b } from "../b.js";\nconsole.log("a");\nexport const a = b + 1;\n',
        "b.js": 'console.log("b");\nexport const b = 1;\n',
    }
    assert printed(modules) == ["b", "a", "main", "2", "1"]


@pytest.mark.node
def test_what_is_exported_and_how_it_is_imported():
    """Functions of every kind, classes and constants; under another name, as a whole, or for its effect alone."""
    modules = {
        "page/main.js": 'import {\n  first,\n  second as other,\n} from "./a.js";\n'
        'import * as whole from "./a.js";\n'
        'import "./effect.js";\nconsole.log(first(), other, new whole.Third().value);\n'
        "whole.fourth().then(console.log);\n",
        "page/a.js": "export function first() {\n  return 1;\n}\nexport const second = 2;\n"
        "export class Third {\n  value = 3;\n}\nexport async function fourth() {\n  return 4;\n}\n",
        "page/effect.js": 'console.log("effect");\nexport {};\n',
    }
    assert printed(modules) == ["effect", "1", "2", "3", "4"]


@pytest.mark.node
def test_names_of_one_module_are_not_those_of_another():
    """Both may have their own of the same name."""
    modules = {
        "page/main.js": 'import { a } from "./a.js";\nconst own = 2;\nconsole.log(a, own);\n',
        "page/a.js": "const own = 1;\nexport const a = own;\n",
    }
    assert printed(modules) == ["1", "2"]


def test_modules_that_import_each_other():
    """Neither could be first."""
    modules = {"page/main.js": 'import { a } from "./a.js";\n', "page/a.js": 'import { b } from "./main.js";\n'}
    with pytest.raises(ValueError, match=r"page/main\.js imports itself"):
        script_of(modules)


@pytest.mark.parametrize(
    "line", ['import a from "./a.js";', "export default 1;", "export { a };", "export let a = 1;"]
)
def test_other_forms(line):
    """They are refused, and not joined wrongly."""
    with pytest.raises(ValueError, match=r"page/main\.js cannot be joined: "):
        script_of({"page/main.js": f"{line}\n"})
