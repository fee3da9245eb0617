"""Finding a token changes nothing: it runs on the threads that only read, and is repeated on error."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Token, User
from chat.queries.tokens import find_token
from chat.services.tokens import make_token


@pytest.mark.django_db
@pytest.mark.parametrize("used", [None, timedelta(days=1)], ids=["never used", "used long ago"])
def test_finding_a_token_only_reads(used):
    """Also where its last use is to be stored anew."""
    last_used_at = timezone.now() - used if used is not None else None
    token = Token(user=User.objects.create_user("alice"), name="robot", scopes=["read"], last_used_at=last_used_at)
    secret = make_token(token)
    with CaptureQueriesContext(connection) as asked:
        found, identity = find_token(secret)
    assert (found.id, identity.user_id) == (token.pk, token.user_id)
    assert {query["sql"].split()[0] for query in asked} == {"SELECT"}
