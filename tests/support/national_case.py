"""A made-up country in small: provinces, parks, indicators of every kind, gaps, breaks, corrections.

Belongs here: making the country. Does not belong here: deriving or expecting anything.
"""

from __future__ import annotations

import random
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from tests.support.warehouse_cases import Case, CaseIndicator

INDICATORS = [
    CaseIndicator("C01"),
    CaseIndicator("C02", over_time="sum"),
    CaseIndicator("S01", over_time="last", kind="stock"),
    CaseIndicator("N01", over_time="last", kind="stock", counted="parks", obtained="counted"),
    CaseIndicator("R01", over_time="formula", formula="100 * C01 / S01", kind="ratio"),
    CaseIndicator("R02", over_time="formula", formula="C01 / C01[-1y]", kind="ratio"),
]
PROVINCES = ("110000", "610000", "140000")


def case(home: Path, seed: int = 1, n_parks: int = 9) -> Case:
    """A warehouse with the observations of three years and nothing derived yet."""
    dice = random.Random(seed)
    made = Case(home, INDICATORS)
    parks = [
        {"park_id": f"P{n}", "province_code": PROVINCES[n % 3],
         "valid_from": date(2017 + n % 2, 1, 1)}
        for n in range(n_parks)
    ]  # fmt: skip
    parks.append({"park_id": "OLD", "province_code": PROVINCES[0], "merged_into": "P1",
                  "valid_to": date(2019, 5, 1)})  # fmt: skip
    made.parks(*parks)
    made.declare(
        "scope_break",
        {
            "break_id": "b",
            "period": "2019-04",
            "region_code": "610000",
            "reason": "口径",
            "source": "测试",
        },
    )
    for year in (2018, 2019, 2020):
        for month in (2, 3, 5, 6):
            _deliver(made, dice, f"{year}-{month:02d}", n_parks)
    return made


def _deliver(made: Case, dice: random.Random, period: str, n_parks: int) -> None:
    year, month = int(period[:4]), int(period[5:])
    for suffix, share, day in (("", 0.85, 8), ("-更正", 0.2, 20)):
        cells = []
        for n in range(n_parks):
            if period == "2019-03" and PROVINCES[n % 3] == "140000":
                continue  # a month in which a whole province says nothing
            for indicator, measure in (("C01", "ytd"), ("C02", "month"), ("S01", "stock")):
                if dice.random() < share:
                    digits = dice.choice(("1", "0.01", "0.0001"))
                    value = Decimal(dice.randint(1, 10**7)).scaleb(-2).quantize(Decimal(digits))
                    cells.append((f"P{n}", indicator, period, measure, value))
        made.deliver(f"{period}{suffix}", datetime(year, month + 1, day), cells)
