"""What axe-core finds on a page: what is wrong for people who cannot see or point."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RUN = """options => axe.run({resultTypes: ['violations'], ...options}).then(
    found => found.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html}`)))"""
# Where the colours have just become others, each goes there by way of all between.
REST = "document.getAnimations().forEach(one => one instanceof CSSTransition && one.finish())"
COLOURS = ("color-contrast",)


def violations(page: Page, *ignored: str, only: tuple[str, ...] = ()) -> list[str]:
    """By every rule but those, or by those `only`; a page may be looked at once more in other colours."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(REST)
    rules = {"runOnly": list(only)} if only else {"rules": {rule: {"enabled": False} for rule in ignored}}
    found: list[str] = page.evaluate(RUN, rules)
    return found
