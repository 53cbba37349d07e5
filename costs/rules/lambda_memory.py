"""When a function has far more memory than it uses, and what that costs a month.

What it uses at most is CloudWatch Lambda Insights' figure (metric `used_memory_max`). Of functions without Insights only their
log tells it, and nothing is said of them. Lambda gives CPU by memory, one whole vCPU at 1,769 MB (Lambda developer guide,
"Memory and computing power"), so with less of it a function may run longer, which costs again.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from costs.rules.findings import Confidence, Finding, Price, times
from costs.rules.waste import Thing

ENOUGH_DAYS = 7
LEAST_MB, STEP_MB = 128, 64
WHOLE_CPU_MB = 1_769
_HEADROOM = Decimal("1.5")
# A change for less than a quarter is not worth the trying out.
_WORTH = Decimal("0.75")
_DAYS_A_MONTH = Decimal("30.4375")
_MB_OF_GB = Decimal(1024)


@dataclass(frozen=True, slots=True)
class Sized:
    """A function. `used_mb` is the most that any run used on the `days` with data; `seconds_a_day` how long it ran on such a day.

    Both None: not measured. `price` is of a GB-second on its architecture.
    """

    thing: Thing
    memory_mb: int | None
    used_mb: float | None
    days: int
    seconds_a_day: float | None
    price: Price


def suggested(used_mb: float) -> int:
    """Half as much again as was ever used, in steps of 64 MB, and no less than Lambda allows."""
    wanted = Decimal(str(used_mb)) * _HEADROOM
    return max(LEAST_MB, int((wanted / STEP_MB).to_integral_value(ROUND_CEILING)) * STEP_MB)


def oversized(function: Sized) -> Finding | None:
    if function.memory_mb is None or function.used_mb is None or function.seconds_a_day is None or function.days < ENOUGH_DAYS:
        return None
    memory = suggested(function.used_mb)
    if memory > function.memory_mb * _WORTH:
        return None
    spared = Decimal(function.memory_mb - memory) / _MB_OF_GB
    seconds = Decimal(str(function.seconds_a_day)) * _DAYS_A_MONTH
    money = times(function.price, (spared * seconds).quantize(Decimal("0.000001")))
    if not money.is_worth_telling:
        return None
    sure, why = _sure(memory)
    return Finding(
        "lambda_memory",
        function.thing.region,
        function.thing.resource_id,
        function.thing.name,
        money,
        sure,
        why,
        f"{function.memory_mb - memory} MB less for as many seconds as it ran, at the list price of a GB-second: what is "
        "saved if it runs no longer than before.",
        (
            ("Memory", f"{function.memory_mb} MB"),
            ("Most that was used", f"{function.used_mb:.0f} MB"),
            ("Measured on", f"{function.days} days (Lambda Insights)"),
            ("Runs for", f"{function.seconds_a_day:,.0f} seconds a day"),
            ("Would do", f"{memory} MB, half as much again as was used"),
        ),
        function.thing.observed_at,
    )


def _sure(memory: int) -> tuple[Confidence, str]:
    if memory >= WHOLE_CPU_MB:
        return Confidence.MEDIUM, (
            "The memory that it used is measured. It keeps a whole vCPU, so only what runs in several threads becomes slower."
        )
    return Confidence.LOW, (
        "The memory that it used is measured; how much longer it runs with the smaller share of a CPU is not. Try it, and "
        "compare its duration."
    )
