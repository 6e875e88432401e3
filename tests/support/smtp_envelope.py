"""The mail that is being handed over, and what a strict relay finds wrong with it."""

import re
from dataclasses import dataclass, field

PATH = re.compile(r'(?:FROM|TO):\s*<((?:"(?:\\.|[^"\\])*"|[^">])*)>\s*(.*)', re.IGNORECASE)
STRAY_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
LONGEST_LINE = 1000


@dataclass
class Envelope:
    sender: str | None = None
    parameters: tuple[str, ...] = ()
    recipients: list[str] = field(default_factory=list)

    def take_sender(self, argument: str, *, smtputf8: bool) -> str:
        """The reply to MAIL."""
        if self.sender is not None:
            return "503 5.5.1 one mail at a time"
        if not (found := PATH.match(argument)):
            return "501 5.5.4 MAIL FROM:<address>"
        address, parameters = found[1], tuple(found[2].upper().split())
        if "SMTPUTF8" in parameters and not smtputf8:
            return "555 5.6.7 SMTPUTF8 is not offered"
        if not address.isascii() and "SMTPUTF8" not in parameters:
            return "553 5.6.7 this address needs SMTPUTF8"
        self.sender, self.parameters = address, parameters
        return "250 2.1.0 sender taken"

    def take_recipient(self, argument: str) -> str:
        """The reply to RCPT."""
        if self.sender is None:
            return "503 5.5.1 MAIL first"
        if not (found := PATH.match(argument)) or not found[1]:
            return "501 5.5.4 RCPT TO:<address>"
        if not found[1].isascii() and "SMTPUTF8" not in self.parameters:
            return "553 5.6.7 this address needs SMTPUTF8"
        self.recipients.append(found[1])
        return "250 2.1.5 recipient taken"

    def complaint(self, text: bytes) -> str:
        """The refusal that this text deserves, or nothing."""
        if STRAY_END.search(text):
            return "554 5.6.11 lines end with CR LF"
        if any(len(line) > LONGEST_LINE for line in text.splitlines(keepends=True)):
            return "554 5.6.0 a line is longer than 1000 octets"
        if not text.isascii() and not {"SMTPUTF8", "BODY=8BITMIME"} & set(self.parameters):
            return "554 5.6.3 eight-bit text needs BODY=8BITMIME"
        return ""
