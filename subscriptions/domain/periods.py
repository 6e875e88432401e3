"""How long each period is that the table of what is kept names, as it is configured."""

from subscriptions.domain import arrivals, imports
from subscriptions.domain.budget import in_unit
from subscriptions.domain.lifecycle import PROTECTED
from subscriptions.domain.policy import Policy


def durations(policy: Policy) -> dict[str, tuple[int, str]]:
    """What stands in the periods: a number and its unit."""
    return {
        "confirm": in_unit(policy.confirm_within), "purge": in_unit(policy.purge_after),
        "proof": (policy.keep_proof_years, "year"), "ips": (policy.keep_ip_months, "month"),
        "times": in_unit(policy.times_kept), "protected": in_unit(PROTECTED), "arrivals": in_unit(arrivals.REMEMBERED),
        "letters": in_unit(policy.keep_letters), "remembered": in_unit(imports.REMEMBERED),
        "halted": in_unit(imports.HALTED_AT_MOST), "file": in_unit(imports.FILE_KEPT),
    }  # fmt: skip
