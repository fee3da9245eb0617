"""Who may enter, see, post and moderate: alice is a member, bob moderates, mallory is an outsider."""

import time

import pytest

from chat.actions import access
from chat.actions.roles import Verb
from chat.queries.identity import Identity, MembershipFacts, SanctionFacts
from chat.queries.rooms import RoomFacts, SiteFacts
from chat.queries.structs import Message
from chat.realtime import visibility
from chat.realtime.directory import Directory, Person
from chat.services.posts import MAX_BODY_BYTES, MAX_BODY_CHARS
from rpc import OperationError

SITE = SiteFacts("Hubtalk", "open", guests_allowed=True, rooms_by_everyone=True, edit_window_minutes=0)
OPEN, SECRET = 1, 2


def room(id=OPEN, kind="public", **facts):
    return RoomFacts(
        **{
            **dict(id=id, name=f"room {id}", kind=kind, topic="", auto_join=True, archived=False, read_only=False),
            **dict(slow_mode_seconds=0, version=0, posts=0),
            **facts,
        }
    )


def person(user_id=1, *, roles=None, left=(), sanctions=(), **facts):
    memberships = {
        room_id: MembershipFacts(role, room_id in left, muted=False, read_seq=0, read_posts=0)
        for room_id, role in (roles or {}).items()
    }
    known = dict(name="someone", is_guest=False, is_bot=False, is_staff=False, is_active=True)
    return Person(
        Identity(f"u{user_id}", user_id, **{**known, **facts}, memberships=memberships, sanctions=list(sanctions))
    )


def message(author_id=1, at="2026-01-01T00:00:00.000Z"):
    return Message(
        **dict(id=9, room_id=OPEN, seq=1, version=1, number=1, author="someone", author_id=author_id),
        **dict(is_guest=False, is_bot=False, body="hello", at=at, client_id="", via="web"),
    )


def refusal(check, *args, **kwargs):
    with pytest.raises(OperationError) as refused:
        check(*args, **kwargs)
    return refused.value.code


def test_deactivated_account_may_not_enter():
    """An account that is switched off is rejected with 4403."""
    assert visibility.refusal_to_connect(person(is_active=False), SITE)[0] == 4403


def test_banned_person_may_not_enter_and_reads_why():
    """A ban everywhere keeps a person out, and says the reason."""
    mallory = person(sanctions=[SanctionFacts("ban", None, None, "spam")])
    assert visibility.refusal_to_connect(mallory, SITE) == (4403, "you are banned: spam")


def test_guest_may_not_enter_a_site_without_guests():
    """Where guests are not allowed a visitor is asked to log in."""
    closed = SiteFacts("Hubtalk", "open", guests_allowed=False, rooms_by_everyone=True, edit_window_minutes=0)
    assert visibility.refusal_to_connect(person(is_guest=True), closed)[0] == 4401
    assert visibility.refusal_to_connect(person(is_guest=False), closed) is None


def test_ban_that_ended_no_longer_counts():
    """A sanction ends at its time by itself."""
    assert (
        visibility.refusal_to_connect(person(sanctions=[SanctionFacts("ban", None, time.time() - 1, "")]), SITE)
        is None
    )


def test_outsider_does_not_see_a_private_room():
    """A private room exists for its members only."""
    assert visibility.sees(person(roles={SECRET: "member"}), room(SECRET, "private"))
    assert not visibility.sees(person(), room(SECRET, "private"))


def test_removed_member_no_longer_sees_a_private_room():
    """Who left a private room is an outsider."""
    assert not visibility.sees(person(roles={SECRET: "member"}, left={SECRET}), room(SECRET, "private"))


def test_staff_outside_a_private_room_do_not_read_it():
    """Staff run private rooms from the admin; their chat shows what they belong to."""
    assert not visibility.sees(person(is_staff=True), room(SECRET, "private"))


def test_banned_from_a_room_is_not_banned_from_others():
    """A room's ban closes that room only, a public one too."""
    mallory = person(sanctions=[SanctionFacts("ban", OPEN, None, "")])
    assert not visibility.sees(mallory, room(OPEN))
    assert visibility.sees(mallory, room(3))


def test_room_is_found_through_the_person():
    """A room one may not see is answered as one that does not exist."""
    directory = Directory()
    directory.put_rooms([room(SECRET, "private")])
    assert access.find_room(directory, person(roles={SECRET: "member"}), "ROOM 2").id == SECRET
    assert refusal(access.find_room, directory, person(), "room 2") == "no_such_room"
    assert refusal(access.find_room, directory, person(), "nowhere") == "no_such_room"


def test_public_room_with_auto_join_is_heard_by_all_but_who_left():
    """Auto join puts a room into every list, until one leaves it."""
    assert visibility.hears(person(), room())
    assert not visibility.hears(person(roles={OPEN: "member"}, left={OPEN}), room())
    assert not visibility.hears(person(), room(auto_join=False))
    assert visibility.hears(person(roles={OPEN: "member"}), room(auto_join=False))


def test_archived_room_stays_where_it_was():
    """It can be read by all who had it in their list, members or not."""
    archived = room(archived=True)
    assert visibility.lists(person(), archived)
    assert not visibility.lists(person(roles={OPEN: "member"}, left={OPEN}), archived)


@pytest.mark.parametrize(("facts", "code"), [({"archived": True}, "archived"), ({"read_only": True}, "read_only")])
def test_closed_room_takes_no_posts(facts, code):
    """An archived room is closed for all, a read-only one for all but its moderators."""
    assert refusal(access.check, person(roles={OPEN: "member"}), Verb.POST, room(**facts)) == code


def test_moderator_posts_in_a_read_only_room():
    """Read-only rooms are for announcements."""
    access.check(person(roles={OPEN: "moderator"}), Verb.POST, room(read_only=True))
    access.check(person(is_staff=True), Verb.POST, room(read_only=True))


@pytest.mark.parametrize("where", [None, OPEN])
def test_muted_person_may_not_post(where):
    """A mute holds everywhere or in its room."""
    muted = person(sanctions=[SanctionFacts("mute", where, None, "")])
    assert refusal(access.check, muted, Verb.POST, room()) == "muted"


def test_muted_elsewhere_may_post_here():
    """A room's mute holds in that room only."""
    access.check(person(sanctions=[SanctionFacts("mute", SECRET, None, "")]), Verb.POST, room())


def test_text_is_trimmed_and_nul_is_dropped():
    """What PostgreSQL cannot hold and what nobody sees is not stored."""
    assert access.check_body("  a\0b \n") == "ab"


@pytest.mark.parametrize("text", ["", "  \n", "\0"])
def test_empty_text_is_refused_in_the_words_of_the_example(text):
    """The public chat example words it so."""
    with pytest.raises(OperationError) as refused:
        access.check_body(text)
    assert refused.value.text == "empty message"


def test_half_of_a_surrogate_pair_is_no_text():
    """It has no UTF-8, so the database could not take it."""
    assert refusal(access.check_body, "half \ud83d") == "bad_text"
    assert access.check_body("whole \U0001f600") == "whole \U0001f600"


def test_longest_text_passes_and_one_more_does_not():
    """A message has at most MAX_BODY_CHARS characters."""
    assert len(access.check_body("界" * MAX_BODY_CHARS)) == MAX_BODY_CHARS
    assert refusal(access.check_body, "界" * (MAX_BODY_CHARS + 1)) == "too_long"


def test_text_of_too_many_bytes():
    """Three for each character, on average: what four take is bounded too."""
    emoji = MAX_BODY_BYTES // 4
    assert len(access.check_body("🎉" * emoji)) == emoji
    assert refusal(access.check_body, "🎉" * (emoji + 1)) == "too_long"


def test_only_the_author_or_a_moderator_changes_a_message():
    """mallory may neither edit nor remove what alice wrote; a moderator may."""
    alice, mallory, bob = person(1), person(2), person(3, roles={OPEN: "moderator"})
    for check in (access.check_remove, lambda *args: access.check_edit(*args, SITE)):
        check(alice, room(), message(author_id=1))
        check(bob, room(), message(author_id=1))
        assert refusal(check, mallory, room(), message(author_id=1)) == "not_allowed"


def test_visitor_without_a_row_owns_nothing():
    """A visitor who never posted has no key, and no message has none."""
    assert refusal(access.check_remove, person(None, is_guest=True), room(), message(author_id=1)) == "not_allowed"


def test_edit_window_closes_for_authors():
    """After the site's window a text stands as it is; a moderator may still edit."""
    site = SiteFacts("Hubtalk", "open", guests_allowed=True, rooms_by_everyone=True, edit_window_minutes=5)
    assert refusal(access.check_edit, person(1), room(), message(), site) == "not_allowed"
    access.check_edit(person(2, roles={OPEN: "moderator"}), room(), message(), site)


def test_rooms_are_made_by_everyone_or_by_staff_only():
    """The site's switch says who may create rooms."""
    by_staff = SiteFacts("Hubtalk", "open", guests_allowed=True, rooms_by_everyone=False, edit_window_minutes=0)
    access.check_create_room(person(), SITE)
    access.check_create_room(person(is_staff=True), by_staff)
    assert refusal(access.check_create_room, person(), by_staff) == "not_allowed"


@pytest.mark.parametrize(
    "emoji",
    [
        "👍",
        "❤️",
        "🐈",
        "👩\u200d💻",
        "1️⃣",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🇨🇳",
        "©️",
    ],
)
def test_emoji_is_a_reaction(emoji):
    """Joined, keycap and flag sequences are one reaction each."""
    assert access.check_emoji(emoji) == emoji


@pytest.mark.parametrize("text", ["+1", "lol", "👍x", "👍 ", "\u202e👍", "1", "\0", "好", "👍👍", "", "☰"])
def test_word_is_no_reaction(text):
    """A reaction is a symbol: no letters, spaces or hidden characters."""
    assert refusal(access.check_emoji, text) == "bad_emoji"


def test_emoji_has_one_spelling():
    """With and without the sign that asks for colour it is the same reaction."""
    assert access.check_emoji("❤") == access.check_emoji("❤\ufe0f") == "❤\ufe0f"


def test_room_that_was_deleted_since_it_was_found():
    """Between finding a room and answering with it lie reads and writes."""
    directory = Directory()
    directory.put_rooms([room()])
    assert access.room_still(directory, OPEN).id == OPEN
    directory.drop_room(OPEN)
    assert refusal(access.room_still, directory, OPEN) == "no_such_room"
