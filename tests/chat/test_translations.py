"""Every word that people read is translated: those of the scripts, the templates, and Python."""

import ast
import gettext
import re
from pathlib import Path

import django
import pytest
from django.utils.translation import override

from chat.names import BadName, clean_name
from chat.web.forms import SignUpForm

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "chat/locale"
DJANGO = [Path(django.__file__).parent / each / "locale" for each in ("conf", "contrib/admin", "contrib/auth")]
"""Whose own words need no translation of ours."""

STRING = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
IN_SCRIPTS = rf"\bn?gettext\(\s*{STRING}"
IN_TEMPLATES = rf"{{%\s*translate\s+{STRING}"
BLOCKS = r"{%\s*blocktranslate[^%]*%}(.*?){%\s*endblocktranslate"
VARIABLE = re.compile(r"{{\s*([\w.]+)\s*}}")
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")


def read(folders, suffix):
    paths = [path for folder in folders for path in (ROOT / folder).rglob(f"*.{suffix}")]
    assert paths
    return [path.read_text() for path in paths if "migrations" not in path.parts]


def of_scripts():
    return {ast.literal_eval(each) for text in read(["chat", "rpc"], "js") for each in re.findall(IN_SCRIPTS, text)}


def of_templates():
    texts = read(["templates", "rpc"], "html")
    words = {ast.literal_eval(each) for text in texts for each in re.findall(IN_TEMPLATES, text)}
    blocks = {each.split("{% plural %}")[0] for text in texts for each in re.findall(BLOCKS, text, re.DOTALL)}
    return words | {VARIABLE.sub(r"%(\1)s", each) for each in blocks}


def of_python():
    return {
        node.args[0].value
        for text in read(["chat", "project", "rpc"], "py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def of_names():
    """Why a name is refused, which forms repeat."""
    return {
        node.args[0].value
        for text in read(["chat/names", "chat/queries", "chat/services"], "py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("BadName", "OperationError")
        if isinstance(node.args[0], ast.Constant)
        if ast.unparse(node.func) == "BadName" or "name_taken" in ast.unparse(node)
    }


def catalog(domain, *folders):
    """What the server reads: singular → translation."""
    found = {}
    for folder in folders:
        for key, value in gettext.translation(domain, folder, ["zh_Hans"])._catalog.items():
            found[key[0] if isinstance(key, tuple) else key] = value
    return found


@pytest.mark.parametrize(
    ("domain", "words"),
    [("djangojs", of_scripts), ("django", of_templates), ("django", of_python), ("django", of_names)],
)
def test_every_word_is_translated(domain, words):
    """By us, or by Django where they are its own."""
    known = {**catalog(domain, LOCALE), **(catalog(domain, *DJANGO) if domain == "django" else {})}
    sought = words()
    assert len(sought) > 5
    assert {word for word in sought if not known.get(word)} == set()


@pytest.mark.parametrize("domain", ["djangojs", "django"])
def test_translation_fills_in_what_the_original_does(domain):
    """No name or number is lost, and none is sought that nobody gives."""
    differing = {
        word: translated
        for word, translated in catalog(domain, LOCALE).items()
        if word and set(PLACEHOLDER.findall(word)) != set(PLACEHOLDER.findall(translated))
    }
    assert differing == {}


@pytest.mark.parametrize("domain", ["djangojs", "django"])
def test_catalog_is_compiled(domain):
    """From the file that people edit: after `manage.py compilemessages`."""
    source = (LOCALE / f"zh_Hans/LC_MESSAGES/{domain}.po").read_text()
    entry = re.compile(r"^msgid (.*?)\n(?:msgid_plural .*?\n)?msgstr(?:\[0\])? (.*?)(?=\n\n|\n*\Z)", re.M | re.S)
    written = {_joined(word): _joined(translated) for word, translated in entry.findall(source)}
    assert {word: each for word, each in written.items() if word} == {
        word: each for word, each in catalog(domain, LOCALE).items() if word
    }


def _joined(lines):
    return "".join(ast.literal_eval(line) for line in lines.split("\n"))


@pytest.mark.django_db
def test_form_says_in_the_language_of_the_person_why_a_name_is_refused():
    """As the API says it in English."""
    with pytest.raises(BadName, match="control or direction"):
        clean_name("a\u202eb")
    with override("zh-hans"):
        form = SignUpForm({"username": "tess", "name": "a\u202eb"})
        assert form.errors["name"] == ["名字不能包含控制字符或方向字符"]
