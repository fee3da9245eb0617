"""What people read on the pages of their account is there in each language."""

import ast
import gettext
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "templates"
PAGES = [
    *TEMPLATES.glob("*.html"),
    *(TEMPLATES / "registration").glob("*.html"),
    *(TEMPLATES / "chat" / name for name in ("settings.html", "two_factor.html")),
]
MODULES = [*(ROOT / "chat/web").rglob("*.py")]


def words_of_page(page):
    """Those of `translate` and `blocktranslate`, as gettext knows them."""
    html = page.read_text()
    for _quote, words in re.findall(r"""{% translate (["'])(.+?)\1""", html):
        yield words
    for words in re.findall(r"{% blocktranslate[^%]*%}(.*?){%", html, re.DOTALL):
        yield re.sub(r"{{ (\w+) }}", r"%(\1)s", words)


def words_of_module(module):
    """What gettext is called with."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "gettext_lazy"):
            yield ast.literal_eval(node.args[0])


@pytest.mark.parametrize("source", [*PAGES, *MODULES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_word_is_translated(source):
    """The compiled catalog, which is what the server reads, has them."""
    catalog = gettext.translation("django", ROOT / "chat/locale", ["zh_Hans"])._catalog
    known = {key[0] if isinstance(key, tuple) else key for key in catalog}
    words = words_of_page(source) if source.suffix == ".html" else words_of_module(source)
    assert {*words} - known == set()
