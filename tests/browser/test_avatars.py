"""Faces of initials: told apart by their colours, and read in both themes."""

import math
import re
from itertools import combinations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LEAST_CONTRAST = 4.5
"""Web Content Accessibility Guidelines 2.2, 1.4.3."""
LEAST_DISTANCE = 0.05
"""In OKLab, where 0.02 is what an eye just tells apart."""

FACES = """async () => {
  const { avatar } = await import("/static/chat/view/avatar.js");
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const drawn = (colour) => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const faces = new Map();
  for (let i = 0; i < 3000; i++) {
    const face = avatar(`guest ${i}`);
    document.body.append(face);
    const { color, backgroundColor, opacity } = getComputedStyle(face);
    faces.set(backgroundColor, { ink: drawn(color), ground: drawn(backgroundColor), opacity });
    face.remove();
  }
  return [...faces.values()];
}"""


def linear(colour: list[int]) -> list[float]:
    """IEC 61966-2-1, of 0 to 255."""
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]


def contrast(one: list[int], other: list[int]) -> float:
    """Of WCAG 2.2."""
    light, dark = sorted(
        (0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, (one, other))), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


def oklab(colour: list[int]) -> tuple[float, float, float]:
    """CSS Color 4, 9.4."""
    r, g, b = linear(colour)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_initials_can_be_read_on_every_colour(arrive, scheme):
    """In both themes."""
    faces = arrive("animals", color_scheme=scheme).page.evaluate(FACES)
    assert len(faces) == 24
    assert min(contrast(face["ink"], face["ground"]) for face in faces) >= LEAST_CONTRAST


def test_any_two_colours_are_told_apart(arrive):
    """As they are drawn on a screen that knows sRGB only."""
    faces = arrive("animals").page.evaluate(FACES)
    grounds = [oklab(face["ground"]) for face in faces]
    assert min(math.dist(one, other) for one, other in combinations(grounds, 2)) >= LEAST_DISTANCE


def test_the_face_of_who_is_away_is_as_clear(arrive):
    """Nothing shines through it."""
    tess = arrive("animals")
    ulysses = arrive("animals")
    ulysses.say("back in a minute")
    ulysses.page.evaluate(JOIN, "animals")
    ulysses.page.goto("about:blank")
    expect(tess.page.locator("#people-list .person")).to_have_count(1)
    tess.reload()
    away = ".person.away .avatar"
    expect(tess.page.locator(away).first).to_be_visible()
    assert set(tess.page.evaluate(OPACITIES, away)) == {"1"}


def test_the_dot_of_who_is_here_stands_beside_the_initials(arrive):
    """It covers no letter."""
    tess = arrive("animals")
    expect(tess.page.locator(".person .avatar").first).to_have_text(re.compile("..?"))
    letters, dot = tess.page.evaluate(LETTERS_AND_DOT)
    assert dot["left"] >= letters["right"] or dot["top"] >= letters["bottom"]


JOIN = """async (room) => {
  const other = gotalk.connection();
  await new Promise((resolve) => other.on("open", resolve));
  await other.requestp("join-room", room);
  other.end();
}"""

OPACITIES = "(faces) => [...document.querySelectorAll(faces)].map((face) => getComputedStyle(face).opacity)"

LETTERS_AND_DOT = """() => {
  const face = document.querySelector(".person .avatar");
  const range = document.createRange();
  range.selectNodeContents(face);
  const letters = range.getBoundingClientRect();
  const box = face.getBoundingClientRect();
  const dot = getComputedStyle(face, "::after");
  const size = (side) => parseFloat(dot[side]);
  const left = box.right - size("right") - size("width") - size("borderLeftWidth") - size("borderRightWidth");
  const top = box.bottom - size("bottom") - size("height") - size("borderTopWidth") - size("borderBottomWidth");
  return [{ right: letters.right, bottom: letters.bottom }, { left, top }];
}"""
