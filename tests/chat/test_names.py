import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.names import (
    GUEST_NAMES,
    MAX_NAME_CHARS,
    BadName,
    clean_name,
    free_guest_name,
    looks_marked,
    marked,
    marks,
    name_key,
    name_look,
    numbered,
)


def test_spaces_around_and_within_are_folded():
    """A name is one line with single spaces."""
    assert clean_name("  王 \t 小明 \n") == "王 小明"


def test_decomposed_letters_are_composed():
    """Names are stored in NFC."""
    assert clean_name("Ce\u0301lia") == "C\u00e9lia"


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_is_no_name(text):
    """An empty name is refused in the words of the public chat example."""
    with pytest.raises(BadName) as refused:
        clean_name(text)
    assert refused.value.text == "empty name"


@pytest.mark.parametrize("text", ["a\u202eb", "a\x00b", "a\u200bb", "a\ufeffb", "\ud800"])
def test_hidden_and_reversing_characters_are_refused(text):
    """A name cannot hide or reverse text around it."""
    with pytest.raises(BadName):
        clean_name(text)


def test_joined_emoji_is_a_name():
    """Zero-width joiners hold emoji and scripts together."""
    assert clean_name("👩\u200d💻") == "👩\u200d💻"


def test_longest_name_is_kept_and_one_more_is_refused():
    """A name has at most MAX_NAME_CHARS characters."""
    assert clean_name("x" * MAX_NAME_CHARS) == "x" * MAX_NAME_CHARS
    with pytest.raises(BadName):
        clean_name("x" * (MAX_NAME_CHARS + 1))


@pytest.mark.parametrize(
    ("one", "other"), [("ULYSSES", "ulysses"), ("\uff35lysses", "ulysses"), ("STRASSE", "straße")]
)
def test_spellings_of_one_name_have_one_key(one, other):
    """Case and width do not make another name."""
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    "text", ["\u3164", "\u2800", "Al\u3164ice", "Alice\u2800", "\uffa0", "a\u034fb"], ids=ascii
)
def test_blank_characters_are_refused(text):
    """Unicode calls them letters, marks or symbols, but nobody sees them."""
    with pytest.raises(BadName):
        clean_name(text)


@pytest.mark.parametrize("text", ["\u200d", "\u200c\u200d", "\ufe0f", "\u0301"], ids=ascii)
def test_name_without_anything_to_see_is_empty(text):
    """Joiners, selectors and accents need something that they belong to."""
    with pytest.raises(BadName) as refused:
        clean_name(text)
    assert refused.value.code == "empty_name"


def test_name_that_unfolds_to_a_tale_is_refused():
    """One character may stand for eighteen; what it looks like has to fit into the database."""
    with pytest.raises(BadName):
        clean_name("\ufdfa" * MAX_NAME_CHARS)


LOOK_ALIKES = [
    *("Al\u200dice", "\u0410lice", "Al\u0456ce", "AIice", "aIice", "A1ice", "ALlCE", "\uff21lice", "Alic\u212f"),
    *("\U0001d400lice", "Al\ufe0fice", "\u0391lice"),
]


@pytest.mark.parametrize("name", LOOK_ALIKES, ids=ascii)
def test_names_that_look_alike_have_one_look(name):
    """UTS #39, section 4: other alphabets, digits for letters, invisible characters."""
    assert name_look(name) == name_look("Alice")


@pytest.mark.parametrize(("one", "other"), [("Modern", "Modem"), ("\u041dina", "Hina"), ("b0b", "Bob")])
def test_look_is_that_of_letters_as_they_are_written(one, other):
    """Two letters may look like one, and a capital like another capital."""
    assert name_look(one) == name_look(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Alice", "Alicia"), ("Nina", "Vina"), ("Anna", "Hanna"), ("小明", "晓月")]
)
def test_names_that_differ_have_different_looks(one, other):
    """Nobody is refused a name for one that they cannot be mistaken for."""
    assert name_look(one) != name_look(other)


@given(st.text(max_size=MAX_NAME_CHARS))
def test_look_of_a_look_is_itself(text):
    """So that what is compared does not depend on how often it was made."""
    assert name_look(name_look(text)) == name_look(text)


def test_there_are_a_hundred_guest_names():
    """Visitors get one of a hundred names, no two of them alike, all fit to be names."""
    assert len({name_look(name) for name in GUEST_NAMES}) == 100
    assert [clean_name(name) for name in GUEST_NAMES] == GUEST_NAMES


def test_a_taken_guest_name_is_not_given_again():
    """The one name that is left is the one that is given."""
    taken = {name for name in GUEST_NAMES if name != "Ulysses"}
    assert free_guest_name(taken) == "Ulysses"


def test_names_are_numbered_once_all_are_taken():
    """A site with more than a hundred visitors numbers them."""
    name = free_guest_name(GUEST_NAMES)
    listed, number = name.rsplit(" ", 1)
    assert listed in GUEST_NAMES
    assert number.isdigit()


def test_a_numbered_name_skips_taken_numbers_and_stays_short():
    """The number takes its room from the name."""
    name = "x" * MAX_NAME_CHARS
    taken = {f"{'x' * (MAX_NAME_CHARS - 1 - len(str(number)))} {number}" for number in range(2, 100)}
    found = numbered(name, taken)
    assert found not in taken
    assert len(found) == MAX_NAME_CHARS


def test_every_mark_looks_like_one():
    """Else somebody could try the name of a private room after all."""
    assert all(name_look(letter) == letter for letter in marks._LETTERS)
    assert all(looks_marked(marked("den")) for _ in range(200))
