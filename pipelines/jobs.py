"""Jobs people and sensors launch.

Belongs here: which assets make a job, its name and description. Does not belong here: when a job runs
(sensors, schedules) or what its assets do.
"""

from __future__ import annotations

import dagster as dg

MONTHLY = "monthly"

monthly = dg.define_asset_job(
    MONTHLY,
    selection=dg.AssetSelection.all(),
    description=(
        "月度主流程:收件、读取、审核、入库、指标、目标判定、考核模拟、通报草稿。"
        "The main job: from the inbox to bulletins in draft for one period."
    ),
)

ALL = [monthly]
