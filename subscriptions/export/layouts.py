"""Exports as other programs import them: a row for each. What they want was read in their own documentation.

listmonk: Import, a CSV file with the columns email, name and attributes (a JSON object). Mailman 3: the page "Mass
subscribe" and `mailman addmembers`, an address on each line, with the name before it as in RFC 5322. Mailchimp: "Import
contacts", a CSV file with a column "Email Address". Thunderbird: the add-on Mail Merge, a CSV file whose columns are
named in the message as {{Email}}.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formataddr
from functools import partial

from subscriptions.domain.fields import whole_name
from subscriptions.languages import marked
from subscriptions.links import Links
from subscriptions.store.mailable import Row
from subscriptions.store.models import List

# what spreadsheets take for the beginning of a formula, full-width forms included
FORMULA = re.compile(r"^\s*[=+\-@\t\r\n＝＋－＠]")


@dataclass(frozen=True, slots=True)
class Layout:
    """How one program wants its file: the name for people, the ending, a first line, and a line for each person."""

    title: str
    ending: str
    head: str
    cells: Callable[[str, str, str, Row], tuple[str, ...]]  # of address, name, the link by which one leaves
    how: str  # where to click
    remove: str  # what to do with a file of those who left

    @property
    def type(self) -> str:
        return "text/csv" if self.ending == "csv" else "text/plain"

    def line(self, row: List, links: Links) -> Callable[[Row], str]:
        """A line for one person, with its end; nothing for a row without an address."""
        url_of = partial(links.leave_url, row.id)

        def line(person: Row) -> str:
            _, key, address, name, fields, *_ = person
            if not address:
                return ""
            told = json.loads(fields) if fields else {}
            called = whole_name(name, told) or ""
            if self.ending == "csv" and FORMULA.match(called):  # strangers type it, and who opens the file would run it
                called = "'" + called
            return self._written(self.cells(address, called, url_of(key), person))

        return line

    def _written(self, cells: tuple[str, ...]) -> str:
        if self.ending != "csv":
            return cells[0] + "\n"
        out = io.StringIO()
        csv.writer(out, quoting=csv.QUOTE_ALL).writerow(cells)
        return out.getvalue()


def _attributes(url: str, person: Row) -> str:
    _, _, _, _, fields, locale, registered_at, confirmed_at, wording_id = person
    known = {"locale": locale, "registered_at": registered_at, "confirmed_at": confirmed_at, "unsubscribe_url": url,
             "wording_id": wording_id, **(json.loads(fields) if fields else {})}  # fmt: skip
    return json.dumps(known, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())


LAYOUTS: Mapping[str, Layout] = {
    "listmonk": Layout(
        "listmonk", "csv", '"email","name","attributes"\r\n',
        lambda address, name, url, person: (address, name or address, _attributes(url, person)),
        marked("In listmonk open Subscribers → Import, choose the list and this file, and set the subscription status "
               "to “confirmed”. In your template use the link of ours: {{ .Subscriber.Attribs.unsubscribe_url }}."),
        marked("“Remove” in listmonk: under Subscribers find and tick each address of the file, then Manage lists "
               "→ Remove. Do not import the file as a blocklist: that would also hold for whoever comes back."),
    ),
    "mailman3": Layout(
        "Mailman 3", "txt", "",
        lambda address, name, url, person: (formataddr((_one_line(name), address)) if name.isascii() else address,),
        marked("In Postorius open the list → Mass operations → Mass subscribe, paste the lines and tick “Pre confirm”. "
               "Mailman writes its own unsubscribe link: bring back who leaves there."),
        marked("“Remove” in Mailman: Mass operations → Mass removal, and paste the lines."),
    ),
    "mailchimp": Layout(
        "Mailchimp", "csv", '"Email Address","Name","Language","Confirm Time"\r\n',
        lambda address, name, url, person: (address, name, person[5], person[7]),
        marked("In Mailchimp open Audience → Add contacts → Import contacts → Upload a file, and choose the status "
               "“Subscribed”. Mailchimp writes its own unsubscribe link: bring back who leaves there."),
        marked("“Remove” in Mailchimp: import the file in the same way with the status “Unsubscribed”, and choose to "
               "update contacts that are there."),
    ),
    "thunderbird": Layout(
        "Thunderbird", "csv", '"Email","Name","Unsubscribe"\r\n',
        lambda address, name, url, person: (address, name, url),
        marked("With the add-on Mail Merge: write to {{Email}}, put {{Unsubscribe}} at the end of the text, and choose "
               "this file as the source. People leave by the link of ours."),
        marked("“Remove” is not needed here: take “Everyone” before each newsletter."),
    ),
}  # fmt: skip
