"""A list's colour, whatever it is, leaves every text readable, by day and at night (U-07)."""

import re
from colorsys import rgb_to_hls
from dataclasses import asdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions.look.colour import contrast, lightness, mix, with_lightness
from subscriptions.look.shades import NEEDED, palette, shades, sheet
from subscriptions.look.tokens import FILE, SCHEMES, tokens
from tests.support.cases import each

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
HUES = ["#ffcc00", "#d40000", "#0057b8", "#7b2cbf", "#00a878", "#ff00ff", "#00ffff", "#ffffff", "#000000", "#808080"]
STYLE = FILE.with_name("style.css")


def hue(colour: str) -> float:
    """From 0 to 1, once round the circle."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return rgb_to_hls(red, green, blue)[0]


def too_weak(colour: str, scheme: str) -> dict[str, float]:
    """Pairs of text and ground, or of an edge and its ground, that are harder to see than WCAG allows."""
    own = palette(colour, scheme)
    grounds = ["card", "paper", "tint"]
    texts = [(text, ground) for text in ("ink", "soft", "accent", "accent_strong", "alert") for ground in grounds]
    texts += [("on_accent", "fill"), ("on_accent", "fill_strong"), ("alert", "alert_tint"), ("ink", "alert_tint")]
    found = {f"{one} on {other}": contrast(own[one], own[other]) for one, other in texts}
    drawn = [("edge", ground) for ground in ("card", "paper")] + [("fill_edge", ground) for ground in grounds]
    edges = {f"{one} on {ground}": contrast(own[one], own[ground]) for one, ground in drawn}
    return {pair: had for pair, had in found.items() if had < 4.5} | {
        pair: had for pair, had in edges.items() if had < 3
    }


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_design_itself_is_readable_in_every_scheme(scheme: str) -> None:
    assert too_weak("", scheme) == {}


@pytest.mark.parametrize("scheme", SCHEMES)
@given(colour=colours)
@example(colour="#ffff00")
@example(colour="#000000")
@example(colour="#FFFFFF")
@example(colour="#0000ff")
def test_any_colour_leaves_every_text_readable(scheme: str, colour: str) -> None:
    assert too_weak(colour, scheme) == {}


@pytest.mark.parametrize("scheme", [one for one in SCHEMES if "more" in one])
@given(colour=colours)
def test_who_asks_for_more_contrast_gets_it(scheme: str, colour: str) -> None:
    own = palette(colour, scheme)
    assert NEEDED[scheme] == 7
    assert min(contrast(own[text], own["card"]) for text in ("ink", "soft", "accent", "alert")) >= 7
    assert contrast(own["on_accent"], own["fill"]) >= 7
    assert contrast(own["line"], own["card"]) >= 3


@pytest.mark.parametrize(("colour", "scheme"), [("#14634b", "light"), ("#7B2CBF", "light"), ("#7fd8b5", "dark")])
def test_a_colour_that_is_readable_stays_what_it_is(colour: str, scheme: str) -> None:
    assert shades(colour, scheme).accent == colour.lower()


@each("colour", [*HUES, "#ffd500"])
@each("scheme", ["light", "dark"])
def test_a_button_wears_the_colour_as_it_is_with_black_or_white_on_it(colour: str, scheme: str) -> None:
    found = shades(colour, scheme)
    assert found.fill == colour and found.on_accent in ("#000000", "#ffffff")
    assert contrast(found.on_accent, found.fill) >= 4.5
    seen = all(contrast(found.fill, ground) >= 3 for ground in (tokens(scheme)["card"], found.paper, found.tint))
    assert (found.fill_edge == found.fill) is seen


def test_the_paper_follows_the_colour() -> None:
    assert len({shades(colour, scheme).paper for colour in ("#ffd500", "#0057b8", "") for scheme in SCHEMES}) >= 6


@each("colour", HUES)
def test_a_colour_gets_darker_by_day_and_lighter_at_night_and_never_the_other_way(colour: str) -> None:
    assert lightness(shades(colour, "light").accent) <= lightness(colour) + 0.005
    assert lightness(shades(colour, "dark").accent) >= lightness(colour) - 0.005


@each("colour", HUES[:7])
@each("scheme", ["light", "dark"])
def test_a_shade_keeps_the_hue_so_that_a_brand_is_recognised(colour: str, scheme: str) -> None:
    apart = abs(hue(colour) - hue(shades(colour, scheme).accent))
    assert min(apart, 1 - apart) < 0.06


def test_black_on_white_is_the_strongest_contrast_and_a_colour_on_itself_none() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#14634b", "#14634b") == 1
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the grey of WCAG's own examples


@given(colours)
def test_a_colour_of_its_own_lightness_is_itself(colour: str) -> None:
    again = with_lightness(colour, lightness(colour))
    assert max(abs(int(colour[at : at + 2], 16) - int(again[at : at + 2], 16)) for at in (1, 3, 5)) <= 2


def test_a_mix_lies_between_its_colours() -> None:
    assert mix("#000000", "#ffffff", 0.2) == "#333333"


def test_the_sheet_of_a_list_holds_its_shades_for_every_scheme_and_spares_paper() -> None:
    css = sheet("offers", "#ffcc00")
    assert css.count(".look-offers {") == len(SCHEMES)
    for scheme in SCHEMES:
        for name, value in asdict(shades("#ffcc00", scheme)).items():
            assert f"--{name.replace('_', '-')}: {value};" in css
    assert all(line.startswith("@media screen") for line in css.splitlines())


def test_every_scheme_names_colours_that_the_light_one_knows() -> None:
    for scheme in SCHEMES:
        assert tokens(scheme).keys() == tokens("light").keys()
    assert tokens("dark")["paper"] != tokens("light")["paper"]
    assert tokens("dark, more contrast")["soft"] != tokens("light, more contrast")["soft"]


def test_the_style_sheet_uses_tokens_and_names_no_colour_itself() -> None:
    css = re.sub(r"/\*.*?\*/", "", STYLE.read_text("utf-8"), flags=re.S)
    assert set(re.findall(r"var\(--([a-z0-9-]+)", css)) <= tokens("light").keys()
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|rgba?\(|hsla?\(|:\s*(?:white|black)\b", css)
    assert not re.search(r"^\s*--", css, re.M)
