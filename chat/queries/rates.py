"""How often something may be done: the rates that the admins of the site have changed."""

import msgspec

from chat.models import RateLimit


class Rate(msgspec.Struct, frozen=True):
    """`burst` at once, and `per_minute` on average."""

    burst: int
    per_minute: float

    @property
    def interval(self) -> float:
        """Seconds for which one counts."""
        return 60 / self.per_minute


def load_rates() -> dict[str, Rate]:
    """The changed rates, by what they are of."""
    return {limit.name: Rate(limit.burst, limit.per_minute) for limit in RateLimit.objects.all()}
