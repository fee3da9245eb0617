"""
The second factor of a log-in: codes of an app (TOTP, RFC 6238), and recovery codes for when the app is lost.

What is tried is counted like passwords are, by `chat.services.entry.log_ins`; here a code only counts or does not.
"""

import logging
import time

from django.db import IntegrityError, transaction
from pyotp import TOTP, random_base32
from pyotp.exceptions import OTPVerificationError

from chat.models import Act, RecoveryCode, SecondFactor, SiteSettings, User
from chat.secrets import digest_of, new_typed_secret
from chat.services.acts.record import Change, record, table_of

logger = logging.getLogger("hubtalk.log_in")

RECOVERY_CODES = 10
DRIFT_STEPS = 1
"""By how many steps of 30 seconds a clock may be off, either way (RFC 6238, section 5.2)."""


def new_app_secret() -> str:
    """160 random bits in base32, which RFC 4226, section 4, recommends."""
    return random_base32()


def address_for_app(user: User, secret: str) -> str:
    """The `otpauth://` address that an app reads from a QR code."""
    return TOTP(secret).provisioning_uri(name=user.username, issuer_name=SiteSettings.current().title)


def step_of(secret: str, code: str, now: float) -> int | None:
    """The time step, about `now`, for which an app with this secret shows the code; None if it shows others."""
    try:
        return TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=DRIFT_STEPS)
    except OTPVerificationError:
        return None


def factor_of(user: User) -> SecondFactor | None:
    return SecondFactor.objects.filter(user=user).first()


def is_missing(user: User) -> bool:
    """Whether one of the staff has to set up a second factor before the admin opens."""
    return user.is_staff and SiteSettings.current().staff_need_two_factors and factor_of(user) is None


def switch_on(user: User, secret: str, step: int) -> list[str] | None:
    """
    From now on the person is asked for a code.

    Args:
        step: of the code by which they showed that their app has the secret; that code is used up.
    Returns:
        Their recovery codes, which are not kept; None if there was a second factor before.
    """
    try:
        with transaction.atomic():
            factor = SecondFactor.objects.create(user=user, secret=secret, last_step=step)
    except IntegrityError:
        return None
    logger.info("second factor of %s: switched on", user.username)
    return _new_codes(factor)


def switch_off(user: User) -> None:
    SecondFactor.objects.filter(user=user).delete()
    logger.warning("second factor of %s: switched off", user.username)


def new_recovery_codes(factor: SecondFactor) -> list[str]:
    """They replace those of before; they are not kept."""
    logger.info("second factor of %s: new recovery codes", factor.user.username)
    return _new_codes(factor)


def use(user: User, code: str) -> bool:
    """Use up a code of the app or a recovery code, with or without hyphens; False if it is wrong or was used."""
    typed = "".join(code.split()).replace("-", "").lower()
    if typed.isdigit():
        return _use_step(user, typed)
    # Of two who use it at once, one deletes it.
    deleted, _ = RecoveryCode.objects.filter(factor__user=user, digest=digest_of(typed)).delete()
    if deleted:
        logger.warning("second factor of %s: a recovery code was used", user.username)
    return deleted == 1


def reset(user: User, *, by: User | None) -> bool:
    """
    Take somebody's second factor away, who lost it; returns whether they had one.

    Args:
        by: who does it; None for a command.
    """
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is None:
            return False
        record(
            Act.Kind.TWO_FACTOR,
            Change(table_of(factor), factor.pk, {"since": factor.since}, None),
            by=by.pk if by is not None else None,
            person_id=user.pk,
        )
        factor.delete()
    logger.warning(
        "second factor of %s: reset by %s", user.username, by.username if by is not None else "a command"
    )
    return True


def _use_step(user: User, code: str) -> bool:
    factor = factor_of(user)
    step = step_of(factor.secret, code, time.time()) if factor is not None else None
    if factor is None or step is None:
        return False
    return SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step) == 1


def _new_codes(factor: SecondFactor) -> list[str]:
    codes = [new_typed_secret() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        factor.recovery_codes.all().delete()
        digests = [digest_of(code.replace("-", "")) for code in codes]
        RecoveryCode.objects.bulk_create(RecoveryCode(factor=factor, digest=digest) for digest in digests)
    return codes
