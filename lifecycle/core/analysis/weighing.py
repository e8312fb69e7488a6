"""How evidence becomes a finding: harm shown fails, harmlessness shown passes, anything else waits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle.core.analysis.bound import BELOW
from lifecycle.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class EValues:
    """What the two tests of a guard say, and what follows from it.

    Args:
        harm: log e-value of harm, and `harm_threshold` for it: ln(1/alpha) after the split of alpha.
        clear: log e-value of harmlessness, and `clear_threshold` for it.
    """

    harm: float
    harm_threshold: float
    clear: float
    clear_threshold: float

    @property
    def verdict(self) -> Verdict:
        if self.harm >= self.harm_threshold:
            return Verdict.FAIL
        return Verdict.PASS if self.clear >= self.clear_threshold else Verdict.INCONCLUSIVE

    def finding(self, name: str, said: str, held: str, missing: str, numbers: Mapping[str, float]) -> Finding:
        """The verdict with its reason.

        Args:
            said: what was seen; behind it comes why that passes (`held`) or is not enough (`missing`).
        """
        verdict = self.verdict
        failed = verdict is Verdict.FAIL
        log_e, threshold = (self.harm, self.harm_threshold) if failed else (self.clear, self.clear_threshold)
        told = {
            "log_e": log_e,
            "threshold": threshold,
            "progress": min(max(log_e / threshold, 0.0), 1.0),
            "log_e_harm": self.harm,
            **numbers,
        }
        why = {Verdict.FAIL: "that is worse", Verdict.PASS: held, Verdict.INCONCLUSIVE: missing}
        return Finding(name, verdict, f"{said}; {why[verdict]}", told)


def few(units: float, rows: float) -> str:
    """That rows share the fate of their key, where `units` independent ones are behind them; or nothing."""
    if units > 0.9 * rows:
        return ""
    return f"; those of one routing key count as one, so there were about {max(round(units), 1)}"


@dataclass(frozen=True, slots=True)
class Weighed:
    """A guard of a rate.

    Args:
        rate: the canary's observed rate; `limit` the rate it has to be under.
        requests: the canary's requests behind it.
        units: independent observations among them, where requests share the fate of their key; None if all.
        of_canary: ends what is said of the canary, where the name alone does not say what is guarded, and
            `of_champion` what is said of the champion.
    """

    name: str
    e_values: EValues
    rate: float
    baseline_rate: float
    limit: float
    requests: int
    units: float | None = None
    of_canary: str = ""
    of_champion: str = ""

    def finding(self, extra: Mapping[str, float] | None = None) -> Finding:
        numbers = {
            "requests": float(self.requests),
            "canary_rate": self.rate,
            "champion_rate": self.baseline_rate,
            "limit_rate": self.limit,
            **({} if self.units is None else {"units": self.units}),
            **(extra or {}),
        }
        said = f"canary {self.rate:.3%}{self.of_canary}, champion {self.baseline_rate:.3%}{self.of_champion}"
        held = f"within {self.limit:.3%}" if self.rate < self.limit else "no worse than tolerated"
        missing = ""
        if self.e_values.verdict is Verdict.INCONCLUSIVE:
            missing = self._missing() + ("" if self.units is None else few(self.units, self.requests))
        return self.e_values.finding(self.name, said, held, missing, numbers)

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
        more = max(math.ceil((self.e_values.clear_threshold - self.e_values.clear) / growth / worth), 1)
        return f"about {_rounded(more)} more canary requests are needed to show that it is under {limit:.3%}"


def _rounded(count: int) -> int:
    """Two leading digits, rounded up: an estimate should not look exact."""
    step = int(10 ** max(len(str(count)) - 2, 0))
    return -(-count // step) * step
