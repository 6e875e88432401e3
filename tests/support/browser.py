"""Real browsers for the page tests, Chromium and Firefox: finds them, or installs them with --install."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

FIREFOX = ("firefox-esr", "firefox")
# The same engine without a browser's window: a page costs it a third.
SHELL = "chromium-headless-shell"
WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A browser at rest must call nobody: a test machine may have no way out.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DRIVER = [sys.executable, "-m", "playwright"]
PLAYWRIGHTS_OWN = [[*DRIVER, "install", "chromium"]]
# Playwright's driver needs libatomic, which a bare Debian lacks and Chromium does not bring.
DEBIANS = [
    ["apt-get", "update", "--quiet"],
    ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium", SHELL, "libatomic1"],
]
DEBIANS_FIREFOX = [DEBIANS[0], [*DEBIANS[1][:5], "firefox-esr"]]


def chromium_path(playwright: Playwright | None = None) -> str | None:
    """The first browser that starts: CHROMIUM's, the system's, Playwright's own."""
    return next((path for path in _candidates(playwright) if _starts(path)), None)


def launch(playwright: Playwright, *, whole: bool = False) -> Browser:
    """The light one if there is one, or the `whole` browser, with all that is around the pages."""
    path = next(filter(_starts, _shells(playwright)), None) if not whole else None
    path = path or chromium_path(playwright)
    if path is None:
        raise RuntimeError("no browser here: python -m tests.support.browser --install")
    return playwright.chromium.launch(executable_path=path, args=[*FLAGS, *_flags_for_root()])


def drivable_path() -> str | None:
    """As chromium_path(), but nothing where Playwright could not drive it."""
    return chromium_path() if _driver_starts() else None


def firefox_path() -> str | None:
    """The first Firefox that starts: FIREFOX's, else the system's."""
    named = os.environ.get("FIREFOX")
    found = [named] if named else filter(None, map(shutil.which, FIREFOX))
    return next((path for path in found if _says_its_version(path)), None)


def install() -> str | None:
    """Tries one way after another until there is a browser to drive."""
    found = drivable_path()
    if found and _can_use_apt() and not os.environ.get("CHROMIUM") and not any(_shells(None)):
        return _after(DEBIANS) or found
    return found or _after(PLAYWRIGHTS_OWN) or (_after(DEBIANS) if _can_use_apt() else None)


def _after(commands: list[list[str]]) -> str | None:
    return drivable_path() if commands and _is_done(commands) else None


def install_firefox() -> str | None:
    path = firefox_path()
    if path is None and _can_use_apt() and _is_done(DEBIANS_FIREFOX):
        path = firefox_path()
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="install one if there is none")
    may_install = parser.parse_args().install
    chromium = install() if may_install else drivable_path()
    firefox = install_firefox() if may_install else firefox_path()
    if chromium is None:
        print("No browser that Playwright can drive: install Chromium, or set CHROMIUM to its path.", file=sys.stderr)
    if firefox is None:
        print("No Firefox that starts: install it (Debian: firefox-esr), or set FIREFOX to its path.", file=sys.stderr)
    print(*filter(None, (chromium, firefox)), sep="\n")
    return 0 if chromium and firefox else 1


def _candidates(playwright: Playwright | None) -> Iterator[str]:
    if named := os.environ.get("CHROMIUM"):
        yield named
        return
    yield from filter(None, map(shutil.which, WHOLE))
    if (own := _playwrights_own(playwright)) and Path(own).exists():
        yield own


def _shells(playwright: Playwright | None) -> Iterator[str]:
    """Of the system, and what Playwright puts beside its own browser; none where a browser is named."""
    if os.environ.get("CHROMIUM"):
        return
    if path := shutil.which(SHELL):
        yield path
    elif own := _playwrights_own(playwright):
        yield from map(str, Path(own).parents[2].glob("chromium_headless_shell-*/*/*headless*shell"))


def _playwrights_own(playwright: Playwright | None) -> str:
    # Only its driver knows the path, and there can be one driver at a time.
    if playwright:
        return playwright.chromium.executable_path
    if not _driver_starts():
        return ""
    with sync_playwright() as fresh:
        return fresh.chromium.executable_path


def _driver_starts() -> bool:
    return subprocess.run([*DRIVER, "--version"], capture_output=True, check=False).returncode == 0


def _starts(path: str) -> bool:
    """A downloaded browser may lack system libraries, and Ubuntu's package is only a hint at a snap."""
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        flags = [f"--user-data-dir={profile}", *FLAGS, *_flags_for_root()]
        command = [path, "--headless", *flags, "--dump-dom", "about:blank"]
        try:
            return b"<html>" in subprocess.run(command, capture_output=True, timeout=60, check=False).stdout
        except (OSError, subprocess.TimeoutExpired):
            return False


def _says_its_version(path: str) -> bool:
    """Ubuntu's package is only a hint at a snap."""
    try:
        return b"Firefox" in subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False


def _flags_for_root() -> list[str]:
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _can_use_apt() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _is_done(commands: list[list[str]]) -> bool:
    for command in commands:
        print(f"Installing a browser: {' '.join(command)}", file=sys.stderr)
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
        if done.returncode:
            print(done.stdout.decode(errors="replace")[-1000:], file=sys.stderr)
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
