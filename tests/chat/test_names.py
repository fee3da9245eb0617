import pytest

from chat.names import GUEST_NAMES, MAX_NAME_CHARS, BadName, clean_name, free_guest_name, name_key, numbered


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
def test_names_that_look_alike_have_one_key(one, other):
    """Case and width do not make another name."""
    assert name_key(one) == name_key(other)


def test_there_are_a_hundred_guest_names():
    """Visitors get one of a hundred names, no two of them alike, all fit to be names."""
    assert len({name_key(name) for name in GUEST_NAMES}) == 100
    assert [clean_name(name) for name in GUEST_NAMES] == GUEST_NAMES


def test_a_taken_guest_name_is_not_given_again():
    """The one name that is left is the one that is given."""
    taken = {name_key(name) for name in GUEST_NAMES if name != "Ulysses"}
    assert free_guest_name(taken) == "Ulysses"


def test_names_are_numbered_once_all_are_taken():
    """A site with more than a hundred visitors numbers them."""
    taken = {name_key(name) for name in GUEST_NAMES}
    name = free_guest_name(taken)
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
