"""The embeds where everybody is asked for a proof of work, on a site with a strict policy of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.embeds import Embeds, address_field, beside_sites, opened, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

STRICT = "default-src 'none'; script-src {0}; connect-src {0}; form-action {0}; frame-src {0}"


@pytest.fixture
def guarded(tmp_path: Path, browser: Browser) -> Iterator[Embeds]:
    with beside_sites(tmp_path, "always") as running, opened(running, browser) as found:
        running[1].policy = STRICT.format(running[0].base_url)
        yield found


@pytest.mark.parametrize("kind", ["frame", "script"])
def test_a_proof_of_work_is_made_in_the_embeds_under_a_strict_policy(guarded: Embeds, kind: str) -> None:
    page = guarded.paste(kind)
    if kind == "frame":  # who presses before it can compute gets one more page, and that is not what this is about
        page.frame_locator("iframe").locator("html.computes").wait_for(state="attached")
    sign_up(page, kind, "worked@example.org")
    guarded.mails_to("worked@example.org")
    assert [one for one in guarded.console if "422" not in one] == []  # the first answer asks for the proof


def test_where_a_browser_cannot_compute_the_script_goes_on_in_the_frame(guarded: Embeds) -> None:
    page = guarded.new_page()
    page.add_init_script("if (window === top) Object.defineProperty(crypto, 'subtle', { value: undefined })")
    snippet = guarded.snippet("script")
    page.goto(guarded.site.page("/", snippet))
    address_field(page, "script").fill("unable@example.org")
    page.get_by_role("button", name="Subscribe").click()
    step = page.frame_locator("iframe")
    step.get_by_role("heading", name="One more step").wait_for()
    step.get_by_role("button").first.click()
    step.get_by_role("heading", name="Now check your inbox").wait_for()
    guarded.mails_to("unable@example.org")
