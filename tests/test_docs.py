"""What the documents say is what the code does."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from twisted.web.http import HTTPChannel

from chat.actions.limits import ADDRESS_FACTOR, MAX_ROOMS_OWNED, RATES
from chat.actions.people import WhoAmI
from chat.actions.rooms import RoomEntry
from chat.admin.acts import MAX_EXPORTED
from chat.models import FINAL, UNDO_DAYS, Act, LogInAttempts, SiteSettings
from chat.names import MAX_NAME_CHARS
from chat.queries import structs
from chat.queries.rates import Rate
from chat.realtime import db
from chat.services.entry import second_factors
from chat.services.entry.log_ins import MOST
from chat.services.messages import MAX_KINDS
from chat.services.moderation import MAX_ADDRESSES
from chat.services.posts import MAX_BODY_BYTES, MAX_BODY_CHARS
from chat.services.sweeping import AT_ONCE, KINDS
from chat.web.openid import asking, attempt, provider
from project import admission, process
from project.daphne import http, pace, turns
from project.middleware import threads
from rpc import Limits, default_handlers
from rpc.admission import WELCOME_SECONDS
from rpc.contrib.django import conf
from tests import role_tables

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "bench").glob("*.md")]


def text(name):
    return (ROOT / name).read_text()


def first_cells(section):
    """The names in the first column of a table."""
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


def test_every_variable_of_the_settings_is_documented_and_the_reverse():
    """docs/configuration.md lists what project/settings.py reads."""
    read = set()
    for node in ast.walk(ast.parse(text("project/settings.py"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func)
            if function in ("env.str", "env.list", "switch", "number", "choice"):
                read.add(node.args[0].value)
    assert read == first_cells(text("docs/configuration.md"))


def test_every_operation_is_documented_and_the_reverse():
    """docs/operations.md lists what is registered, and what is told."""
    asked, rest = text("docs/operations.md").split("## How often")
    told = rest.split("## Notifications")[1]
    source = "".join(each.read_text() for each in (ROOT / "chat/doors/gotalk").rglob("*.py"))
    assert first_cells(asked) == set(re.findall(r'@handlers\.request\("([^"]+)"', source))
    wire = text("chat/doors/gotalk/wire.py")
    assert first_cells(told) == set(re.findall(r'\b(?:Notification|_notification|_told)\(\s*"(\w+)"', wire))
    assert all(default_handlers.find_request(name) for name in first_cells(asked))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("Message", structs.Message), ("Room", RoomEntry), ("Person", structs.PersonCard)],
)
def test_shapes_are_documented_field_by_field(name, shape):
    """In the order of the wire."""
    written = re.search(rf"`{name}`: `\{{([^}}]+)\}}`", text("docs/operations.md"))[1]
    assert re.split(r",\s+", written) == [field.encode_name for field in msgspec.structs.fields(shape)]


def test_result_of_whoami_is_documented_field_by_field():
    """What a page decides by."""
    written = re.search(r"`whoami` \| – \| `\{([^}]+)\}`", text("docs/operations.md"))[1]
    assert written.split(", ") == list(WhoAmI.__struct_fields__)


def test_rates_are_documented():
    """What each is of, and its default."""
    found = re.findall(r"\| `([\w-]+)` \| [^|]+ \| (\d+) \| ([\d.]+) \|", text("docs/operations.md"))
    assert {name: Rate(int(burst), float(per_minute)) for name, burst, per_minute in found} == RATES
    assert f"may do {ADDRESS_FACTOR} times as much" in text("docs/operations.md")
    guests = SiteSettings()
    assert f"from one address to one process | {guests.guests_per_address:,} |" in text("docs/operations.md")
    assert f"connections of guests to one process | {guests.guests_at_once:,} |" in text("docs/operations.md")
    assert f"until new guests get none | {guests.sessions_for_guests:,} |" in text("docs/operations.md")
    held = f"in the last {guests.guest_address_hours} hours, the {MAX_ADDRESSES} latest at most"
    assert held in text("docs/moderation.md")
    swept = text("docs/operations.md").split("is swept once a minute")[1].split("Guests who said")[0]
    assert re.findall(r"^\| ([^|]+) \| (?!---|when \|)", swept, re.MULTILINE) == [*KINDS]
    assert f"at most {AT_ONCE} rows" in swept
    assert swept.count(f"{UNDO_DAYS} days") == 3
    assert f"owns at most {MAX_ROOMS_OWNED} rooms" in text("docs/operations.md")
    assert f"at most {MAX_KINDS} kinds of reactions" in text("docs/operations.md")


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("text of a message", f"{MAX_BODY_CHARS:,} characters, {MAX_BODY_BYTES:,} bytes"),
        ("name of a person or room", f"{MAX_NAME_CHARS} characters"),
        ("posts of one person", f"{RATES['post'].burst} at once, {RATES['post'].per_minute // 60:.0f} a second"),
        ("payload of a request", f"{Limits().max_payload_bytes // 2**20} MiB"),
        ("requests in flight on one connection", f"{Limits().max_requests_in_flight}"),
        (
            "data that a connection may leave unread before it misses notifications",
            f"{Limits().max_outbox_bytes // 2**20} MiB",
        ),
        ("silence after which a connection is dropped", f"{Limits().idle_timeout:.0f} s"),
        ("duration of a request", f"{Limits().request_timeout:.0f} s"),
    ],
)
def test_limits_of_the_readme_are_those_of_the_code(what, value):
    """A number that is written twice is held together."""
    assert f"| {what} | {value} |" in text("README.md")


@pytest.mark.parametrize(
    ("what", "value"),
    [
        (
            "its body",
            f"{settings.BODY_LIMITS['/']:,} bytes; below `/admin/` {settings.BODY_LIMITS['/admin/']:,}; none for "
            "files, `/healthz` and other pages that are only read",
        ),
        ("its head", f"{HTTPChannel.totalHeadersSize:,} bytes, {HTTPChannel.maxHeaders} headers"),
        ("time for its head", f"{http.HEAD_TIMEOUT:g} s"),
        (
            "time for its body",
            f"{http.BODY_TIMEOUT:g} s, and in proportion more for a body of more than {http.BODY_UNIT:,} bytes",
        ),
        ("time until its answer begins", f"{http.ANSWER_TIMEOUT:g} s"),
        ("time in which the client takes nothing of the answer", f"{Limits().stall_timeout:g} s"),
        ("time until the next request on the same connection", f"{http.REST_TIMEOUT:g} s"),
        ("requests under way in one process", f"{threads.MAX_REQUESTS:,}"),
    ],
)
def test_limits_of_a_request_are_those_of_the_code(what, value):
    """As docs/doors.md lists them; nginx lets the longest body through."""
    assert f"| {what} | {value} |" in text("docs/doors.md")
    longest = max(settings.BODY_LIMITS.values()) // 1024
    assert f"client_max_body_size        {longest}k;" in text("deploy/nginx.conf")


@pytest.mark.parametrize(
    "said",
    [
        f"one of {admission.KEPT} connections is\nkept",
        f"Up to {http.MAX_TURNED_AWAY} are told so",
        f"within the last {WELCOME_SECONDS / 86400:g} days",
        f"{turns.AT_ONCE} of one address are under way",
        f"fragments below {pace.SMALL_BYTES} bytes",
        f"{Limits().messages_per_second} a second after {Limits().messages_burst} at once",
    ],
)
def test_bounds_of_connections_are_those_of_the_code(said):
    """As docs/operations.md explains them."""
    assert said in text("docs/operations.md").split("## Connections")[1]
    assert (admission.SHARE, admission.PACE_SECONDS) == (2, 10)
    assert f"{admission.SPARE_FILES} connections\nfewer" in text("docs/configuration.md")
    for name in ("MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS"):
        assert f"| `{name}` | `{getattr(settings, name)}` |" in text("docs/configuration.md")


def test_threads_of_a_process_and_their_connections_are_counted():
    """Those of the table; one more connection is that of the main thread, which prepares the site."""
    table = text("docs/architecture.md").split("## Threads")[1].split("\n\n")[2]
    counts = [int(count) for count in re.findall(r"^\| (?:`WEB_THREADS`, )?(\d+) \|", table, re.MULTILINE)]
    assert counts == [settings.WEB_THREADS, 1, db.READ_THREADS, conf.HANDLER_THREADS, 1, process.OTHER_THREADS]
    others = 1 + db.READ_THREADS + conf.HANDLER_THREADS + 1 + 1
    row = f"| `WEB_THREADS` | `{settings.WEB_THREADS}` |"
    assert row in text("docs/configuration.md")
    assert f"a process has at most {others} more" in text("docs/configuration.md")


def test_figures_of_compression_are_those_that_were_measured():
    """docs/doors.md repeats what bench/README.md has."""
    section = re.search(r"^## No compression\n.*?^## ", text("docs/doors.md"), re.MULTILINE | re.DOTALL)[0]
    figures = re.findall(r"\d[\d,.]*\d", section.replace("7692", ""))
    assert len(figures) > 10
    assert [figure for figure in figures if figure not in text("bench/README.md")] == []


def test_tables_of_roles_are_those_of_the_code():
    """Who may do what, row by row; tests/chat/doors/test_roles.py runs what is written."""
    tables = re.findall(r"(?:^\|.*\|\n)+", role_tables.section(), re.MULTILINE)
    assert [table.rstrip() for table in tables] == [role_tables.IN_A_ROOM, role_tables.ON_THE_SITE]


def test_kinds_of_acts_are_documented():
    """Each with whether it can be taken back, in the order of the code."""
    table = text("docs/moderation.md").split("## The log")[1].split("## ")[0]
    assert re.findall(r"^\| `([\w-]+)` .*\| (yes|no)\b[^|]*\|$", table, re.MULTILINE) == [
        (kind.value, "no" if kind in FINAL else "yes") for kind in Act.Kind
    ]
    assert f"up to {MAX_EXPORTED:,} at once" in table
    assert f"for {UNDO_DAYS} days" in text("docs/moderation.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document):
    """Every relative link and picture is there, and so is every heading that a link names."""
    prose = without_code(document.read_text())
    links = re.findall(r"\]\(([^):]+)\)|(?:src|srcset)=\"([^\":]+)\"", prose)
    own = [link for pair in links for link in pair if link and not link.startswith("/")]
    for link in own:
        path, _, heading = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not heading or heading in anchors(target), link


def without_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(document):
    """What the headings of a document are called in links."""
    headings = re.findall(r"^#+ (.+)$", without_code(document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_newest_change_is_the_version():
    """pyproject.toml and CHANGELOG.md agree."""
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert re.search(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)[1] == version


def folders_in_the_tree():
    """The paths that docs/architecture.md draws."""
    above = []
    for line in re.search(r"## The tree\n\n```\n(.*?)```", text("docs/architecture.md"), re.DOTALL)[1].splitlines():
        if line:
            indent, name = re.match(r"( *)(\S+)/ ", line).groups()
            above = [*above[: len(indent) // 2], name]
            yield "/".join(above)


def test_tree_is_that_of_the_disk():
    """Every folder that is drawn is there, and every folder with code is drawn."""
    drawn = list(folders_in_the_tree())
    assert [folder for folder in drawn if not (ROOT / folder).is_dir()] == []
    listed = subprocess.run(
        ["git", "ls-files", "chat", "rpc", "project"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [Path(name) for name in listed.stdout.splitlines()]
    code = [file for file in files if file.suffix in (".py", ".js") and file.name != "__init__.py"]
    assert {file.parent.as_posix() for file in code} - set(drawn) == set()


def test_files_of_the_architecture_exist():
    """Those of a message's life and all others, and the functions that answer "where"."""
    document = text("docs/architecture.md")
    named = re.findall(r"`((?:chat|project|rpc|tests)/[\w/]+\.\w+)`", document)
    assert "## The life of a message" in document
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []
    where = re.findall(r"`([\w/]+\.py)` \| `(\w+)`", document)
    assert where
    assert [name for file, name in where if f"def {name}(" not in text(file)] == []
    overrides = re.findall(r"^\| `(\w+\.py)`(?:: `(?:\w+\.)?(\w+)`)?", document, re.MULTILINE)
    assert overrides
    assert [name for file, name in overrides if f"def {name}" not in text(f"project/daphne/{file}")] == []


def test_bounds_of_asking_a_provider_are_those_of_the_code():
    """As docs/log-in.md and docs/architecture.md tell them."""
    said = " ".join(text("docs/log-in.md").split())
    assert f"there are {asking.DEADLINE_SECONDS:g} seconds, and of each answer {asking.MAX_BYTES:,} bytes" in said
    assert f"{asking.AT_ONCE} pages of a process ask it at a time" in said
    assert f"for {attempt.SECONDS // 60} minutes" in said
    assert f"give or take {provider.LEEWAY_SECONDS} s" in said
    threads = " ".join(text("docs/architecture.md").split("## Threads")[1].split())
    assert f"at most {asking.DEADLINE_SECONDS:g} seconds" in threads
    assert f"Of such pages {asking.AT_ONCE} are made at a time" in threads


def test_numbers_of_two_factor_log_in_are_those_of_the_code():
    """As docs/log-in.md and SECURITY.md tell them."""
    said = text("docs/log-in.md")
    assert second_factors.DRIFT_STEPS == 1 and "one step of 30 seconds off" in said
    assert second_factors.RECOVERY_CODES == 10 and "Ten recovery codes" in said
    guesses = f"has {MOST[LogInAttempts.By.NAME]} guesses in a quarter of an hour"
    assert guesses in " ".join(text("SECURITY.md").split())


def test_every_requirement_has_its_reason():
    """docs/architecture.md says what each package is for."""
    packages = re.findall(r"^([A-Za-z][\w-]*)", text("requirements.txt"), re.MULTILINE)
    reasons = text("docs/architecture.md").split("## Dependencies")[1]
    assert [name for name in packages if not re.search(rf"\b{name}\b", reasons, re.IGNORECASE)] == []


def test_requirements_are_pinned():
    """constraints.txt holds one version of everything that is asked for."""
    asked = re.findall(r"^([A-Za-z][\w-]*)", text("requirements.txt") + text("requirements-dev.txt"), re.MULTILINE)
    pinned = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", text("constraints.txt"), re.M)}
    assert [name for name in asked if name.lower() not in pinned] == []


def found(*arguments):
    """The lines of the repository's files in which git finds something."""
    done = subprocess.run(["git", "grep", "-nI", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def test_people_are_they():
    """Nobody is a man by default, in prose, errors and comments."""
    words = "|".join(("h[e]", "h[i]s", "h[i]m", "h[i]mself"))
    # In brackets, so that these lines are not found; a payload that is cut in two may end with the letters.
    masculine = rf"(?<![a-zA-Z\"])({words})(?![a-zA-Z\"])"
    assert found("-iP", masculine, "--", ".", ":!chat/locale") == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    """A clone works anywhere."""
    folders = rf"{re.escape(str(ROOT))}|(^|[^\w./])/(home|root|tmp|Users|work)/\w"
    assert found("-P", folders) == []
