"""What moderators and admins do, by the throw of dice."""

from datetime import timedelta

from django.contrib.auth.models import Permission
from django.utils import timezone

from chat.models import Act, RateLimit, Sanction, User
from chat.services import accounts, memberships, messages, moderation, rooms, site
from chat.services.acts.undo import take_back


def some_act(dice, people, spoken, owner):
    """One thing that a moderator or admin can do, which may be refused."""
    person, room = dice.choice(people), dice.choice(spoken)
    until = dice.choice([None, timezone.now() + timedelta(hours=1)])
    match dice.randrange(13):
        case 0 | 1:
            kind = dice.choice(["ban", "mute"])
            moderation.impose(person.pk, kind, room_id=dice.choice([None, room.pk]), by=owner.pk, until=until)
        case 2:
            for sanction in Sanction.objects.in_force()[:1]:
                moderation.lift(sanction)
        case 3:
            memberships.kick(room.pk, person.pk, by=owner.pk)
        case 4:
            memberships.join_room(room.pk, person.pk, role=dice.choice(["owner", "moderator", "member", None]))
        case 5 | 6:
            messages.remove_message(room.pk, dice.randint(1, 4), by=owner.pk, reason="rude")
        case 7:
            messages.edit_message(room.pk, dice.randint(1, 4), dice.choice(["milder", "mild"]), by=owner.pk)
        case 8:
            changes = {
                "read_only": True,
                "archived": True,
                "slow_mode_seconds": 10,
                "name": "renamed",
                "topic": "x",
            }
            field = dice.choice([*changes])
            rooms.change_room(room.pk, **{field: changes[field]})
        case 9:
            deed = dice.choice([accounts.set_active, _rename, _promote])
            deed(person.pk, False)
        case 11:
            site.set_rate(
                RateLimit.objects.filter(name="post").first() or RateLimit(name="post", burst=3, per_minute=9)
            )
        case 12:
            site.reset_rates(RateLimit.objects.all())
        case 10:
            site.change_settings(**dice.choice([{"guests_allowed": False}, {"sign_up": "open"}, {"title": "New"}]))


def _rename(user_id, _):
    accounts.rename(user_id, "Somebody Else")


def _promote(user_id, _):
    user = User.objects.get(pk=user_id)
    user.is_staff = True
    accounts.change_account(user)
    accounts.set_permissions(user, list(Permission.objects.order_by("pk")[:2]))


def take_back_everything():
    """The last first, as somebody would who goes up the log: what is in force, also by a second thought."""
    for act in Act.objects.can_be_undone().order_by("-pk"):
        if _times_undone(act) % 2 == 0:
            take_back(act.pk)


def _times_undone(act):
    """How many acts it takes back, one through the other."""
    return 0 if act.undoes is None else 1 + _times_undone(act.undoes)
