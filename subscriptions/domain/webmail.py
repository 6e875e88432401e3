"""Where well-known mail domains are read on the web: a table, since a look-up would tell others about a sign-up."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Webmail:
    """`url` with `{sender}` opens a search for our mails, spam folder included; without it, the inbox."""

    name: str
    url: str
    domains: str
    escaped: int = 1  # how often what stands for {sender} is percent-encoded

    @property
    def searches(self) -> bool:
        return "{sender}" in self.url

    def open(self, sender: str) -> str:
        """The address that leads to a mail of `sender`."""
        for _ in range(self.escaped):
            sender = quote(sender, safe="")
        return self.url.replace("{sender}", sender)


# A handle holds the place in this table: add at the end. Search addresses only where they are known to work.
WEBMAILS = (
    Webmail("Gmail", "https://mail.google.com/mail/u/0/#search/from%3A{sender}+in%3Aanywhere",
            "gmail.com googlemail.com"),
    Webmail("Outlook", "https://outlook.live.com/mail/0/inbox",
            "outlook.com outlook.de outlook.fr outlook.es outlook.at hotmail.com hotmail.de hotmail.fr hotmail.es "
            "hotmail.it hotmail.co.uk live.com live.de live.fr live.nl live.co.uk live.at msn.com"),
    Webmail("Yahoo Mail", "https://mail.yahoo.com/d/search/keyword=from%253A{sender}",
            "yahoo.com yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ca yahoo.in yahoo.co.uk yahoo.co.in yahoo.com.br "
            "yahoo.com.au yahoo.com.ar yahoo.com.mx yahoo.ie ymail.com rocketmail.com", escaped=2),
    Webmail("iCloud Mail", "https://www.icloud.com/mail", "icloud.com me.com mac.com"),
    Webmail("Proton Mail", "https://mail.proton.me/u/0/all-mail#from={sender}", "proton.me protonmail.com pm.me"),
    Webmail("GMX", "https://www.gmx.net/", "gmx.de gmx.net gmx.at gmx.ch gmx.info gmx.org gmx.eu"),
    Webmail("GMX", "https://www.gmx.com/", "gmx.com gmx.co.uk gmx.us gmx.es gmx.fr"),
    Webmail("WEB.DE", "https://web.de/", "web.de"),
    Webmail("Fastmail", "https://app.fastmail.com/mail/search:from%3A{sender}/", "fastmail.com fastmail.fm"),
    Webmail("AOL Mail", "https://mail.aol.com/", "aol.com aol.de aol.fr aol.co.uk"),
    Webmail("T-Online", "https://email.t-online.de/", "t-online.de magenta.de"),
    Webmail("freenet Mail", "https://webmail.freenet.de/", "freenet.de"),
    Webmail("mail.com", "https://www.mail.com/", "mail.com email.com"),
    Webmail("Posteo", "https://posteo.de/", "posteo.de posteo.net posteo.org posteo.eu posteo.at posteo.ch"),
    Webmail("mailbox", "https://mailbox.org/", "mailbox.org"),
    Webmail("Tuta", "https://app.tuta.com/", "tuta.com tutanota.com tutanota.de tutamail.com tuta.io keemail.me"),
    Webmail("Orange", "https://messagerie.orange.fr/", "orange.fr wanadoo.fr"),
    Webmail("La Poste", "https://www.laposte.net/", "laposte.net"),
    Webmail("Zimbra Free", "https://webmail.free.fr/", "free.fr"),
    Webmail("Zoho Mail", "https://mail.zoho.com/", "zoho.com zohomail.com"),
    Webmail("Libero Mail", "https://mail.libero.it/", "libero.it"),
    Webmail("Seznam Email", "https://email.seznam.cz/", "seznam.cz email.cz post.cz"),
)  # fmt: skip
NOT_KNOWN = 0  # a number of this table is one more than the place


_NUMBERS = {domain: n for n, known in enumerate(WEBMAILS, 1) for domain in known.domains.split()}


def number_of(domain: str) -> int:
    """The number of the webmail of a domain, by its name alone."""
    return _NUMBERS.get(domain, NOT_KNOWN)


def webmail(number: int) -> Webmail | None:
    """The webmail of that number; None where there is none, or not any more."""
    return WEBMAILS[number - 1] if 0 < number <= len(WEBMAILS) else None
