"""Every signed thing that leaves the house, one salt per purpose; tables are not known here."""

from subscriptions.links.handles import Visit
from subscriptions.links.mailed import Leave, Links, NotMe, OldLink, Opener, Session, fingerprint
from subscriptions.links.signing import BadLink

__all__ = ["BadLink", "Leave", "Links", "NotMe", "OldLink", "Opener", "Session", "Visit", "fingerprint"]
