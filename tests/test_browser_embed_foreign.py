"""The script on pages that it cannot trust, with their libraries and optimizers: a form or a link, never a hole."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.cases import each
from tests.support.embeds import Embeds, address_field, beside_sites, opened, sign_up
from tests.support.engines import firefox
from tests.support.server import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

# as their libraries have it: Prototype.js (Magento, XWiki), MooTools; and whatever else somebody may think of
PROTOTYPE = """
Array.from = (list) => { const found = []; for (let i = 0; i < list.length; i++) found[i] = list[i]; return found };
Array.prototype.toJSON = String.prototype.toJSON = Object.prototype.toJSON = function () { return "[object]" };
Array.prototype.reduce = function () { return this }; Array.prototype.entries = function () { return this };
Element.prototype.remove = function () { return this }; Function.prototype.bind = function () { return this };
JSON.stringify = (value) => '"' + value + '"'; Object.keys = () => []; window.Element = function () {};
"""
EVERYTHING = """
const spoil = (owner, names) => {
    for (const name of names.split(" ")) owner[name] = () => { throw new Error("spoilt: " + name) };
};
spoil(Array, "from isArray of"); spoil(Object, "keys values entries assign fromEntries");
spoil(Array.prototype, "map forEach reduce filter find some every includes indexOf push join slice concat flat");
spoil(Array.prototype, "flatMap keys");
spoil(String.prototype, "trim startsWith endsWith includes indexOf split replace match padStart slice");
spoil(JSON, "stringify parse"); spoil(RegExp.prototype, "test exec"); spoil(Uint8Array, "from of");
spoil(Element.prototype, "remove append prepend after before replaceChildren replaceWith");
spoil(window, "Promise TextEncoder DataView URL URLSearchParams FormData CSS Map Set Element parseInt");
Array.prototype.toJSON = function () { return "spoilt" };
Array.prototype[Symbol.iterator] = () => { throw new Error("spoilt: iterator") };
Object.prototype.added = () => "to every object"; spoil(Function.prototype, "bind call apply");
"""
NO_SHEETS = "window.CSSStyleSheet = function () { throw new TypeError('Illegal constructor') }"
NO_ELEMENTS = "Object.defineProperty(window, 'customElements', { value: undefined })"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Embeds]:
    """Everybody is asked for a proof of work, which is where it went wrong."""
    with beside_sites(tmp_path_factory.mktemp("server"), "always") as served, opened(served, browser) as found:
        yield found


@pytest.fixture(scope="module")
def snippet(foreign: Embeds) -> str:
    return foreign.snippet("script")


@pytest.fixture(autouse=True)
def quiet(foreign: Embeds) -> Iterator[None]:
    foreign.console.clear()
    yield
    for page in foreign.context.pages:
        page.close()


def open_page(foreign: Embeds, body: str) -> Page:
    page = foreign.new_page()
    page.goto(foreign.site.page("/", f"<main>{body}</main>"))
    return page


@each("name, script", [("prototype", PROTOTYPE), ("everything", EVERYTHING), ("sheets", NO_SHEETS)])
def test_whatever_a_page_has_replaced_the_form_subscribes(
    foreign: Embeds, snippet: str, name: str, script: str
) -> None:
    page = open_page(foreign, f"<script>{script}</script>{snippet}")
    sign_up(page, "script", f"{name}@example.org")
    foreign.mails_to(f"{name}@example.org")
    assert page.url == f"{foreign.site.origin}/"  # and not as a plain form
    assert [one for one in foreign.console if "422" not in one and "spoilt" not in one] == []


FETCHES = ["() => undefined", "() => new Promise(() => {})", "() => { throw new Error('blocked') }"]


@each("script, says", [(NO_ELEMENTS, "can make the form"), *((f"window.fetch = {one}", "") for one in FETCHES)])
def test_where_the_form_cannot_begin_a_link_stands(foreign: Embeds, snippet: str, script: str, says: str) -> None:
    foreign.console.clear()
    page = open_page(foreign, f"<script>{script}</script>{snippet}")
    expect(page.get_by_role("link", name="Subscribe")).to_be_visible()
    assert not says or any("Yestwice: " in one and says in one for one in foreign.console), foreign.console
    page.get_by_role("link", name="Subscribe").click()
    page.wait_for_url(f"{foreign.server.base_url}/subscribe/newsletter?lang=en")


def alone(snippet: str, attributes: str) -> str:
    """The script of a snippet without its element, as the first version had it."""
    return "<script" + snippet.partition("<script")[2].replace(" async", f" {attributes} async")


def delayed(snippet: str) -> str:
    """An optimizer has put the script aside, and runs its text later, under a name of its own."""
    element, _, tag = snippet.partition("<script")
    aside = tag.replace("src=", 'type="rocketlazyloadscript" data-src=')
    return f"""{element}<script{aside}<script>addEventListener("load", async () => {{
        const text = await (await fetch(document.querySelector("[data-src]").dataset.src)).text();
        document.head.appendChild(document.createElement("script")).textContent = text;
    }})</script>"""


LATE = """<script>addEventListener("load", () => document.body.appendChild(
    Object.assign(document.createElement("script"), {{src: "{0}/embed/v2/yestwice.js"}})))</script>"""
WAYS = {
    "a module": lambda one, base: one.replace(" async", ' type="module"'),
    "deferred": lambda one, base: one.replace(" async", " defer"),
    "at once": lambda one, base: one.replace(" async", ""),
    "before its element": lambda one, base: "\n".join(reversed(one.split("\n"))),
    "late": lambda one, base: one.partition("<script")[0] + LATE.format(base),
    "put aside by an optimizer": lambda one, base: delayed(one),
    "alone": lambda one, base: alone(one, 'data-list="newsletter"'),
    "alone, a module": lambda one, base: alone(one, 'list="newsletter" type="module"'),
    "without its list": lambda one, base: alone(one, ""),
    "without list and link": lambda one, base: re.sub(r"<yestwice.*?</y", "<yestwice-form></y", one),
}
LISTLESS = ("without its list", "without list and link")


@each("way", WAYS)
def test_however_the_script_is_loaded_a_form_or_a_link_comes(foreign: Embeds, snippet: str, way: str) -> None:
    foreign.console.clear()
    page = open_page(foreign, WAYS[way](snippet, foreign.server.base_url))
    if way in LISTLESS:
        link = page.get_by_role("link", name="Subscribe")
        expect(link).to_have_attribute("href", f"{foreign.server.base_url}/")
        assert any('Add list="…"' in one for one in foreign.console), foreign.console
    else:
        address_field(page, "script").wait_for()
        assert page.locator("yestwice-form").count() == 1 and foreign.console == []


def test_forms_are_as_many_as_elements_and_outlive_being_moved(foreign: Embeds, snippet: str) -> None:
    page = open_page(foreign, f"{snippet}<div id=there></div>{snippet}")
    expect(address_field(page, "script")).to_have_count(2)
    address_field(page, "script").first.fill("moved@example.org")
    page.evaluate("there.append(document.querySelector('yestwice-form'))")
    expect(address_field(page, "script").first).to_have_value("moved@example.org")
    page.evaluate("""() => {
        const copy = document.querySelector('main').innerHTML;
        document.querySelector('main').innerHTML = '';
        document.querySelector('main').innerHTML = copy;
    }""")
    expect(address_field(page, "script")).to_have_count(2)
    assert foreign.console == []


def test_a_proof_of_work_that_has_no_end_ends_at_its_highest_number(foreign: Embeds, snippet: str) -> None:
    parameters = {
        "algorithm": "PBKDF2/SHA-256",
        "nonce": "00",
        "salt": "00",
        "cost": 1,
        "keyPrefix": "x",
        "data": {"most": 3},
    }

    def unsolvable(route: Route) -> None:
        body = json.dumps({"challenge": {"parameters": parameters, "signature": "00"}})
        headers = {"Access-Control-Allow-Origin": foreign.site.origin}
        route.fulfill(status=422, headers=headers, content_type="application/json", body=body)

    page = open_page(foreign, snippet)
    page.route("**/api/v1/subscriptions?*", unsolvable)
    address_field(page, "script").fill("endless@example.org")
    page.get_by_role("button", name="Subscribe").click()
    page.frame_locator("iframe").get_by_role("heading", name="One more step").wait_for()


def test_a_frame_that_stays_silent_is_a_link_and_the_console_says_what_to_add(foreign: Embeds) -> None:
    framed = foreign.snippet("frame")
    page = foreign.new_page()
    page.clock.install()
    for site, is_named in ((foreign.stranger, False), (foreign.site, True)):
        foreign.console.clear()
        page.goto(site.page("/", f"<main>{framed}</main>"))
        page.clock.run_for(10_000)
        expect(page.get_by_role("link", name="Subscribe to The Example Letter")).to_have_count(0 if is_named else 1)
        line = f'origins = ["{site.origin}"]'
        assert any(line in one for one in foreign.console) is not is_named, foreign.console
        expect(page.locator("iframe")).to_be_visible(visible=is_named)
    page.goto(foreign.stranger.page("/", f"<main>{framed}</main>"))
    page.clock.run_for(10_000)
    page.get_by_role("link").click()
    page.wait_for_url(f"{foreign.server.base_url}/subscribe/newsletter?lang=en")


BY_ITSELF = """const root = () => document.querySelector("yestwice-form").shadowRoot;
const said = document.createElement("p");
said.id = "said"; document.body.appendChild(said);
const turn = setInterval(() => {
    if (!root()) return;
    const input = root().querySelector("#email"), button = root().querySelector("button");
    if (!input.value) { input.value = "fox@example.org"; button.click() }
    const heading = root().querySelector(".told h2");
    said.textContent = heading ? heading.textContent : "";
}, 50);"""


def test_the_same_holds_in_firefox(foreign: Embeds, snippet: str) -> None:
    """The page fills the form itself: what drives the browser would stumble over what is spoilt."""
    url = foreign.site.page("/", f"<main><script>{BY_ITSELF}{EVERYTHING}{NO_SHEETS}</script>{snippet}</main>")
    with firefox() as engine:
        tab = engine.new_tab()
        tab.go(url)
        until(lambda: tab.text("#said") == "Now check your inbox", every=0.2)
    foreign.mails_to("fox@example.org")
