"""Tabs of one browser, driven alike in both engines: Chromium by Playwright, a stock Firefox by Marionette."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.support.browser import firefox_path
from tests.support.ports import free_port
from tests.support.server import until

with warnings.catch_warnings():  # what it brings along uses what Python has given up
    warnings.simplefilter("ignore", DeprecationWarning)
    from marionette_driver import By
    from marionette_driver.errors import MarionetteException
    from marionette_driver.marionette import Marionette

TEXT = "document.querySelector({})?.innerText ?? ''"


class Tab(Protocol):
    """What a person does in a tab; what it shows is '' while it is between two pages."""

    def go(self, url: str) -> None: ...
    def click(self, selector: str) -> None: ...
    def write(self, selector: str, text: str) -> None: ...
    def back(self) -> None: ...
    def reload(self) -> None: ...
    def run(self, script: str) -> None: ...
    def url(self) -> str: ...
    def count(self, selector: str) -> int: ...
    def text(self, selector: str) -> str: ...


class Engine(Protocol):
    def new_tab(self) -> Tab: ...


@dataclass
class ChromiumTab:
    page: Page

    def go(self, url: str) -> None:
        self.page.goto(url)

    def click(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.click(selector)

    def write(self, selector: str, text: str) -> None:
        self.page.fill(selector, text)

    def back(self) -> None:
        self.page.go_back()

    def reload(self) -> None:
        self.page.reload()

    def run(self, script: str) -> None:
        with self.page.expect_navigation():
            self.page.evaluate(script)

    def url(self) -> str:
        return self.page.url

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def text(self, selector: str) -> str:
        with suppress(Error):
            return str(self.page.evaluate(f"selector => {TEXT.format('selector')}", selector))
        return ""


@dataclass
class Chromium:
    context: BrowserContext

    def new_tab(self) -> Tab:
        return ChromiumTab(self.context.new_page())


@dataclass
class FirefoxTab:
    driver: Any
    handle: str

    def _here(self) -> Any:
        self.driver.switch_to_window(self.handle)
        return self.driver

    def go(self, url: str) -> None:
        self._here().navigate(url)

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        """Returns on the next page; Marionette alone would wait for one that begins to come at once."""
        self._here().execute_script("document.documentElement.dataset.left = ''")
        yield
        until(lambda: self.count("html") > self.count("html[data-left]"), every=0.1)

    def click(self, selector: str) -> None:
        with self._leaving():
            self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def write(self, selector: str, text: str) -> None:
        self._here().find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def back(self) -> None:
        self._here().go_back()

    def reload(self) -> None:
        self._here().refresh()

    def run(self, script: str) -> None:
        with self._leaving():
            self.driver.execute_script(script)

    def url(self) -> str:
        return str(self._here().get_url())

    def count(self, selector: str) -> int:
        with suppress(MarionetteException):
            return len(self._here().find_elements(By.CSS_SELECTOR, selector))
        return 0

    def text(self, selector: str) -> str:
        with suppress(MarionetteException):
            return str(self._here().execute_script(f"return {TEXT.format('arguments[0]')}", [selector]))
        return ""


@dataclass
class Firefox:
    driver: Any

    def new_tab(self) -> Tab:
        return FirefoxTab(self.driver, self.driver.open(type="tab", focus=True)["handle"])


@contextmanager
def chromium(browser: Browser) -> Iterator[Engine]:
    with browser.new_context() as context:
        yield Chromium(context)


@contextmanager
def firefox() -> Iterator[Engine]:
    path = firefox_path()
    if path is None:
        raise RuntimeError("no Firefox here: python -m tests.support.browser --install")
    with tempfile.TemporaryDirectory() as folder:  # for its log, a file that it removes first: never /dev/null, as root
        with warnings.catch_warnings():  # it leaves the sockets open with which it waits
            warnings.simplefilter("ignore", ResourceWarning)
            driver = Marionette(port=free_port(), bin=path, headless=True, gecko_log=folder, startup_timeout=120)
        try:
            driver.start_session()
            yield Firefox(driver)
        finally:
            driver.cleanup()
