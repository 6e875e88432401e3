"""Names that only we know: addresses of a network of one's own, and the host of base_url in every spelling."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.domain.address import ascii_name
from subscriptions.domain.sites import machine_url
from subscriptions.settings import Abuse
from subscriptions.settings import Mail as MailSettings
from subscriptions.settings.file import load
from tests.builders import World
from tests.conftest import ManualClock
from tests.support.cases import ONE_DATABASE, each

SMTP = MailSettings(transport="smtp", host="127.0.0.1", port=9)
OWN = ["anne@printer.local", "anne@list.test", "anne@a.invalid", "anne@x.onion", "anne@PRINTER.LOCAL"]


@ONE_DATABASE
@pytest.mark.parametrize(
    ("mail", "abuse", "takes"),
    [(SMTP, Abuse(), False), (SMTP, Abuse(special_domains=True), True), (MailSettings(), Abuse(), True)],
    ids=["sending", "sending, and set so", "trying out"],
)
def test_addresses_of_ones_own_network_sign_up_where_that_is_set_and_in_try_out_mode(
    make_app: Callable[..., Flask], clock: ManualClock, mail: MailSettings, abuse: Abuse, takes: bool
) -> None:
    app = make_app(mail=mail, abuse=abuse)
    with app.app_context():
        world = World(app, app.test_client(), clock)
        by_json, by_form = (
            [world.sign_up(address) for address in OWN],
            [world.sign_up_by_form(address) for address in OWN],
        )
        asked = [world.post("/preferences", data={"email": address}) for address in OWN]
        assert {answer.status_code for answer in by_json} == {202 if takes else 422}
        assert {answer.status_code for answer in [*by_form, *asked]} == {303 if takes else 422}
        if not takes:
            [problem] = by_json[0].get_json()["errors"]
            assert problem["code"] == "special_domain" and problem["detail"].endswith("addresses ending in .local.")
            assert problem["detail"] in by_form[0].text and problem["detail"] in asked[0].text
            assert world.registrations() == []


@each(
    ("host", "name"),
    [("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.example.", "xn--bcher-kva.example"),
     ("straße.example", "xn--strae-oqa.example"), ("News.Example.ORG.", "news.example.org"), ("localhost", "localhost"),
     ("127.0.0.1", "127.0.0.1"), ("☃.example", "☃.example")],
)  # fmt: skip
def test_the_name_of_a_host_has_one_spelling(host: str, name: str) -> None:
    assert ascii_name(host) == name


@each(
    ("url", "as_sent"),
    [("https://bücher.example", "https://xn--bcher-kva.example"),
     ("https://News.BÜCHER.example.:8443/", "https://news.xn--bcher-kva.example:8443/"),
     ("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://[::1]:8000", "http://[::1]:8000"),
     ("https://user@bücher.example", "https://user@bücher.example"), ("no address", "no address"), ("http://[", "http://["),
     ("https://www.bücher.example/danke/ü", "https://www.xn--bcher-kva.example/danke/ü")],
)  # fmt: skip
def test_an_address_of_the_web_names_its_host_as_browsers_send_it(url: str, as_sent: str) -> None:
    assert machine_url(url) == as_sent


def test_a_configuration_may_name_hosts_as_people_say_them(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[server]\nbase_url = "https://News.Bücher.example"\ntrusted_hosts = ["www.bücher.example."]\n'
        '[mail]\ntransport = "smtp"\n[[lists]]\norigins = ["https://bücher.example"]\n', "utf-8",
    )  # fmt: skip
    settings = load({}, tmp_path)
    assert settings.server.base_url == "https://news.xn--bcher-kva.example"
    assert settings.server.trusted_hosts == ("www.xn--bcher-kva.example",)
    assert settings.lists[0].origins == ("https://xn--bcher-kva.example",)
