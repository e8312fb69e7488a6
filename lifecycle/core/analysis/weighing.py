"""How evidence becomes a finding: harm shown fails, harmlessness shown passes, anything else waits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle.core.analysis.bound import BELOW
from lifecycle.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the tests of one guard say. Thresholds are ln(1/alpha) after the split of alpha.

    Args:
        what: the guarded quantity in words, for the reason, e.g. `errors`.
        harm: log e-value of harm, and `harm_threshold` for it.
        clear: log e-value of harmlessness, and `clear_threshold` for it.
        rate: the canary's observed rate; `limit` the rate it has to be under.
        requests: the canary's requests behind it.
        units: independent observations among them, where requests share the fate of their key; None if all.
    """

    name: str
    what: str
    harm: float
    harm_threshold: float
    clear: float
    clear_threshold: float
    rate: float
    baseline_rate: float
    limit: float
    requests: int
    units: float | None = None

    def finding(self, extra: Mapping[str, float] | None = None) -> Finding:
        failed = self.harm >= self.harm_threshold
        passed = not failed and self.clear >= self.clear_threshold
        log_e, threshold = (self.harm, self.harm_threshold) if failed else (self.clear, self.clear_threshold)
        numbers = {
            "log_e": log_e,
            "threshold": threshold,
            "progress": min(max(log_e / threshold, 0.0), 1.0),
            "log_e_harm": self.harm,
            "requests": float(self.requests),
            "canary_rate": self.rate,
            "champion_rate": self.baseline_rate,
            "limit_rate": self.limit,
            **({} if self.units is None else {"units": self.units}),
            **(extra or {}),
        }
        rates = f"canary {self.rate:.3%}, champion {self.baseline_rate:.3%}"
        if failed:
            return Finding(self.name, Verdict.FAIL, f"{self.what}: {rates}; that is worse", numbers)
        if passed:
            held = f"within {self.limit:.3%}" if self.rate < self.limit else "no worse than tolerated"
            return Finding(self.name, Verdict.PASS, f"{self.what}: {rates}; {held}", numbers)
        reason = f"{self.what}: {rates}; {self._missing()}{self._few()}"
        return Finding(self.name, Verdict.INCONCLUSIVE, reason, numbers)

    def _few(self) -> str:
        if self.units is None or self.units > 0.9 * self.requests:
            return ""
        return f"; those of one routing key count as one, so there were about {max(round(self.units), 1)}"

    def _missing(self) -> str:
        # The best alternative's expected growth per request, were the observed rate the true one.
        rate, limit = self.rate, self.limit
        growth = max(
            (rate * math.log(part) if rate else 0.0) + (1 - rate) * math.log((1 - limit * part) / (1 - limit))
            for part in (BELOW[1:] if rate else BELOW)
        )
        if growth <= 0:
            return f"not shown to be under {limit:.3%}, and more requests at this rate will not show it"
        worth = self.units / self.requests if self.units and self.requests else 1.0
        more = max(math.ceil((self.clear_threshold - self.clear) / growth / worth), 1)
        return f"about {_rounded(more)} more canary requests are needed to show that it is under {limit:.3%}"


def _rounded(count: int) -> int:
    """Two leading digits, rounded up: an estimate should not look exact."""
    step = int(10 ** max(len(str(count)) - 2, 0))
    return -(-count // step) * step
