"""What a sign-up has to get through first: the limit of its network, and the proof that is asked for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain

from subscriptions.domain.policy import Policy
from subscriptions.store import guards
from subscriptions.store.guards import Count
from subscriptions.store.models import Counted
from subscriptions.store.trips import Later, Trip


class Need(StrEnum):
    """When a sign-up is taken only with a proof."""

    NEVER = "never"
    WHEN_BUSY = "when busy"  # when its network has made many
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a sign-up brings along to be let through: hashes of what works once, each until its time."""

    need: Need = Need.WHEN_BUSY
    once: tuple[tuple[bytes, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Limited:
    """The network has used up its sign-ups until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ProofNeeded:
    """A proof is asked for, and none was given that is fresh; of this network until then."""

    until: datetime | None = None


Refusal = Limited | ProofNeeded


@dataclass(slots=True)
class Gate:
    """Decides one by one, in order, on rows that this transaction has locked."""

    policy: Policy
    networks: dict[bytes, Count]
    fresh: set[bytes]  # what was used for the first time now
    passed: int = 0  # with a proof

    def refuse(self, network: bytes | None, brings: Pass) -> Refusal | None:
        limit, many = self.policy.network, self.policy.proof_from
        busy_until = None
        if network is not None and limit is not None:
            since, count = self.networks[network]
            self.networks[network] = since, count + 1
            if count >= limit.count:
                return Limited(since + limit.period)
            if many is not None and count >= many:
                busy_until = since + limit.period
        if brings.need is Need.NOW or (busy_until and brings.need is Need.WHEN_BUSY):
            return None if self._is_proved(brings) else ProofNeeded(busy_until)
        return None

    def _is_proved(self, brings: Pass) -> bool:
        """Whether everything that is brought was fresh; of two that bring the same, the first has it."""
        brought = {hash_ for hash_, _ in brings.once}
        proved = bool(brought) and brought <= self.fresh
        self.fresh -= brought
        self.passed += proved
        return proved


def counts(gate: Gate, answers: Sequence[Refusal | None]) -> dict[str, int]:
    """The same for every state of an address."""
    limited = sum(isinstance(answer, Limited) for answer in answers)
    needed = sum(isinstance(answer, ProofNeeded) for answer in answers)
    taken = len(answers) - limited - needed
    return dict(sign_ups=taken, limited=limited, proof_asked=needed, passed=gate.passed, batches=1)


def gate_for(out: Trip, sign_ups: Sequence[tuple[bytes | None, Pass]], now: datetime, policy: Policy) -> Later[Gate]:
    """Count the networks of a batch, and use up what its sign-ups bring."""
    nets = Counter(network for network, _ in sign_ups if network)
    limit = policy.network
    counted = guards.add(out, Counted.SIGN_UPS, nets, now, limit.period) if limit and nets else dict[bytes, Count]
    fresh = guards.use(out, dict(chain.from_iterable(brings.once for _, brings in sign_ups)))
    # the last of a network sees the count of all; the first of them the count before the others
    return lambda: Gate(policy, {key: (at, count - nets[key]) for key, (at, count) in counted().items()}, fresh())
