"""Mail domains that look like a slip of the fingers: offered to the visitor, never applied (WCAG 3.3.3)."""

from collections.abc import Iterable
from functools import lru_cache

# what people mean; names so short that another letter makes another real domain are left out
_MEANT = """
    gmail.com googlemail.com yahoo.com yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.co.uk yahoo.com.br hotmail.com
    hotmail.de hotmail.fr hotmail.es hotmail.it hotmail.co.uk outlook.com outlook.de outlook.fr outlook.es icloud.com
    proton.me protonmail.com t-online.de freenet.de posteo.de mailbox.org arcor.de laposte.net orange.fr wanadoo.fr
    telefonica.net libero.it virgilio.it bluewin.ch btinternet.com comcast.net verizon.net bellsouth.net
""".split()
# what exists as well and is meant as it stands, however near it comes to one of those
_REAL = frozenset(
    """
    mail.com email.com ymail.com email.de mail.de gmx.com gmx.de gmx.net gmx.at gmx.ch web.de aol.com live.com me.com
    hotmail.be hotmail.ca hotmail.ch hotmail.nl hotmail.se outlook.at outlook.be outlook.it outlook.pt yahoo.ca
    yahoo.in yahoo.co.jp yahoo.co.in yahoo.com.ar yahoo.com.au yahoo.com.mx yahoo.ie yahoo.gr orange.es orange.pl
    """.split()
)
_NO_ENDINGS = {
    "com": "con cmo ocm comm coom vom xom cpm conm coml c0m comn".split(),
    "net": "ner nte ent nett met".split(),
    "org": "ogr orgg prg rog".split(),
}
_ENDINGS = {typed: meant for meant, many in _NO_ENDINGS.items() for typed in many}


def _with_one_less(domain: str) -> Iterable[str]:
    return (domain[:at] + domain[at + 1 :] for at in range(len(domain)))


# with one letter left out of both, names meet that differ by one letter: missing, too many, mistaken or moved
_NEAR = {less: meant for meant in reversed(_MEANT) for less in (*_with_one_less(meant), meant)}


@lru_cache(4096)
def meant_by(domain: str) -> str | None:
    """The domain that was probably meant, where this one looks like a slip; as machines compare them."""
    if domain in _REAL or domain in _MEANT:
        return None
    for less in (domain, *_with_one_less(domain)):
        if less in _NEAR:
            return _NEAR[less]
    rest, _, ending = domain.rpartition(".")
    if ending in _ENDINGS and rest:
        right = f"{rest}.{_ENDINGS[ending]}"
        return meant_by(right) or right
    return None


def is_well_known(domain: str) -> bool:
    """Whether nobody need be asked if mail can arrive there."""
    return domain in _REAL or domain in _MEANT
