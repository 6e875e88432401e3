"""The desk in the second engine: its forms are known as its own there as well, and the preview shows what is typed."""

from pathlib import Path

import pytest

from tests.support.engines import By, FirefoxTab, firefox
from tests.support.server import Server, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

PREVIEWED = "document.querySelector('iframe[name=preview]')?.contentDocument?.body?.innerText ?? ''"


def test_somebody_comes_in_sees_what_they_type_saves_it_and_goes_out_again(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///subscriptions.db", LISTS=None) as server, firefox() as engine:
        tab = engine.new_tab()
        assert isinstance(tab, FirefoxTab)
        tab.go(f"{server.base_url}/admin")
        tab.click("form[action$='/from-here'] button")
        assert tab.text("h1") == "Your lists"
        tab.go(f"{server.base_url}/admin/lists/newsletter")
        tab.write("[name='own.name']", " of gardens")
        tab.driver.find_element(By.CSS_SELECTOR, "button[formtarget=preview]").click()  # it leads nowhere in this tab
        until(lambda: "Newsletter of gardens" in str(tab.driver.execute_script(f"return {PREVIEWED}")), every=0.1)
        tab.click(".save button")
        assert "Saved." in tab.text("main") and tab.text("h1") == "Newsletter of gardens"
        tab.go(f"{server.base_url}/admin/account")
        tab.click("form[action$='/sign-out'] button")
        tab.go(f"{server.base_url}/admin/people")
        assert "/admin/sign-in" in tab.url()
