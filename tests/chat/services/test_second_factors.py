"""Codes of an app and recovery codes: which count, and how often."""

import threading
import time

import pytest
from django.db import connection
from pyotp import TOTP

from chat.models import RecoveryCode, SecondFactor, User
from chat.services.entry import second_factors

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""12345678901234567890, the secret of RFC 6238, appendix B."""


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice")


def shown(secret, later=0):
    """What an app shows, so many steps from now."""
    return TOTP(secret).at(time.time(), counter_offset=later)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_the_standard(now, code):
    """RFC 6238, appendix B, in six digits."""
    assert second_factors.step_of(RFC_SECRET, code, now) == now // 30


@pytest.mark.parametrize(("off", "counts"), [(-61, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clock_may_be_one_step_off(off, counts):
    """Either way; RFC 6238, section 5.2."""
    code = TOTP(RFC_SECRET).at(1_000_000_020 + off)
    assert (second_factors.step_of(RFC_SECRET, code, 1_000_000_020) is not None) == counts


@pytest.mark.parametrize("code", ["", "28708", "2870820", "x87082", "٢٨٧٠٨٢", "-87082", "287082\0"])
def test_what_is_no_code_of_the_app(code):
    """Nothing but its six digits."""
    assert second_factors.step_of(RFC_SECRET, code, 59) is None


def test_code_counts_once(alice):
    """Whoever looks over a shoulder has nothing; nor do codes of before count any more."""
    second_factors.switch_on(alice, RFC_SECRET, 0)
    assert second_factors.use(alice, shown(RFC_SECRET, 1))
    assert not second_factors.use(alice, shown(RFC_SECRET, 1))
    assert not second_factors.use(alice, shown(RFC_SECRET))


def test_code_that_switched_it_on_is_used_up(alice):
    """It was typed, too."""
    code = shown(RFC_SECRET)
    second_factors.switch_on(alice, RFC_SECRET, second_factors.step_of(RFC_SECRET, code, time.time()))
    assert not second_factors.use(alice, code)


@pytest.mark.parametrize("typed", [str, str.upper, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_recovery_code_counts_once(alice, typed):
    """In whatever letters, and with whatever stands between the groups."""
    codes = second_factors.switch_on(alice, RFC_SECRET, 0)
    assert second_factors.use(alice, typed(codes[3]))
    assert not second_factors.use(alice, codes[3])
    assert second_factors.use(alice, codes[4])


def test_recovery_codes_are_ten_and_kept_as_digests(alice):
    """Each is another."""
    codes = second_factors.switch_on(alice, RFC_SECRET, 0)
    assert len(set(codes)) == second_factors.RECOVERY_CODES == RecoveryCode.objects.count() == 10
    kept = str([*RecoveryCode.objects.values()])
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_new_recovery_codes_replace_the_old(alice):
    """Paper that was lost is worth nothing."""
    old = second_factors.switch_on(alice, RFC_SECRET, 0)
    new = second_factors.new_recovery_codes(second_factors.factor_of(alice))
    assert not second_factors.use(alice, old[0])
    assert second_factors.use(alice, new[0])


def test_codes_of_another_person(alice):
    """Neither the app nor the paper of one helps another."""
    mallory = User.objects.create_user("mallory")
    second_factors.switch_on(alice, RFC_SECRET, 0)
    codes = second_factors.switch_on(mallory, second_factors.new_app_secret(), 0)
    assert not second_factors.use(alice, codes[0])
    assert not second_factors.use(mallory, shown(RFC_SECRET))


def test_switched_on_twice_at_once(alice):
    """The first one stays: the codes that were shown for it hold."""
    codes = second_factors.switch_on(alice, RFC_SECRET, 0)
    assert second_factors.switch_on(alice, second_factors.new_app_secret(), 0) is None
    assert SecondFactor.objects.get().secret == RFC_SECRET
    assert second_factors.use(alice, codes[0])


@pytest.mark.parametrize("kind", ["app", "paper"])
def test_one_code_in_two_hands_at_once(transactional_db, kind):
    """One of the two gets in."""
    alice = User.objects.create_user("alice")
    codes = second_factors.switch_on(alice, RFC_SECRET, 0)
    code = shown(RFC_SECRET, 1) if kind == "app" else codes[0]
    start, results = threading.Barrier(6), []

    def use():
        start.wait(10)
        try:
            results.append(second_factors.use(alice, code))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == [False] * 5 + [True]
