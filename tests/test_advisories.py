"""The versions of constraints.txt have no vulnerability that tests/advisories.json knows; bin/audit asks PyPI."""

import json
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
ADVISORIES = json.loads((ROOT / "tests/advisories.json").read_text())["advisories"]


def pins():
    """The version of each package of constraints.txt, by its normalized name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


def affects(advisory, versions):
    """Whether an advisory is about one of these versions."""
    version = versions.get(advisory["package"])
    # Candidates of a release count as versions too.
    return version is not None and any(
        SpecifierSet(affected).contains(version, prereleases=True) for affected in advisory["affected"]
    )


def test_no_pinned_version_has_a_known_vulnerability():
    """An advisory about a version that we run says why it does not concern us."""
    versions = pins()
    assert [each["id"] for each in ADVISORIES if affects(each, versions) and not each.get("reason")] == []


def test_a_reason_stands_only_where_a_pinned_version_is_affected():
    """When a fix is pinned, the reason goes."""
    versions = pins()
    assert [each["id"] for each in ADVISORIES if "reason" in each and not affects(each, versions)] == []


def test_every_package_of_the_list_is_pinned():
    """An advisory about a package that we no longer use is dropped, and a misspelt one is found."""
    assert {each["package"] for each in ADVISORIES} <= pins().keys()


def test_the_list_is_sorted():
    """By package and identifier, each once, so that two people who add to it meet in the same line."""
    keys = [(each["package"], each["id"]) for each in ADVISORIES]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    ("package", "version", "identifier"),
    [
        ("django", "5.2.18", "CVE-2026-108147"),
        ("django", "4.2.23", "CVE-2025-57833"),
        ("twisted", "26.4.0", "CVE-2026-115778"),
        ("h11", "0.14.0", "CVE-2025-43859"),
        ("redis", "4.4.2", "CVE-2023-28858"),
        ("pyjwt", "2.10.0", "CVE-2024-53861"),
    ],
)
def test_a_version_with_a_known_vulnerability_is_found(package, version, identifier):
    """On each branch that has a fix, until that."""
    assert identifier in [each["id"] for each in ADVISORIES if affects(each, {package: version})]


@pytest.mark.parametrize(("package", "version"), [("django", "5.2.19"), ("h11", "0.16.0"), ("redis", "4.5.4")])
def test_a_version_with_all_fixes_is_not_found(package, version):
    """From the fixed version on."""
    assert [each["id"] for each in ADVISORIES if affects(each, {package: version})] == []
