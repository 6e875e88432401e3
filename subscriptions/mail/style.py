"""How mails look: the colours of the design and of the list, written into each element, since mail programs want that.

The templates name classes, and their styles stand once, in email/_layout.html. Done when a letter is compiled, which
is once for each list and wording, not for each mail.
"""

from typing import Any
from urllib.parse import quote

import css_inline

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.look.pictures import IN_MAILS, known_picture
from subscriptions.look.shades import palette
from subscriptions.settings import Settings
from subscriptions.store.models import List

LOGO_HEIGHT, LOGO_WIDTH = 48, 240
# what stands under @media stays in the head: the night, small screens
_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def look(mail: MailKind, row: List | None, settings: Settings) -> dict[str, Any]:
    """What the templates of a mail need to know of its look; of no list: the design's own."""
    colours = {by: palette((row and row.colour) or "", by) for by in ("light", "dark")}
    return colours | {"logo": _logo(row, settings) if row and mail.row.may_show_picture and row.logo else None}


def inlined(html: str) -> str:
    """The page with its styles written into its elements."""
    return _inliner.inline(html)


def _logo(row: List, settings: Settings) -> dict[str, Any] | None:
    """The same address for everyone: who fetches it tells us nothing but that somebody did."""
    picture = known_picture(row.logo, settings.root)
    if picture is None or picture.type not in IN_MAILS:
        return None
    width, height = picture.size_at(LOGO_HEIGHT, LOGO_WIDTH)
    base = settings.server.base_url.rstrip("/")
    return {"url": f"{base}/lists/{quote(row.slug)}/logo?v={picture.version}", "width": width, "height": height}
