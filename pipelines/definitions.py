"""Assembly of everything Dagster knows: assets, checks, jobs, sensors, the resource.

Belongs here: putting the parts together and projecting the column dictionary onto them. Does not
belong here: any logic of a part. Loading this module must not import Great Expectations.
"""

from __future__ import annotations

import dagster as dg

from assets.assessment import assets as assessment
from assets.bulletins import assets as bulletins
from assets.deliveries import assets as deliveries
from assets.indicators import assets as indicators
from assets.observations import assets as observations
from assets.submissions import assets as submissions
from assets.targets import assets as targets
from pipelines import jobs, publish, sensors, validation
from pipelines.projection import described
from pipelines.resources import build_resource
from quality import checks

STAGES = (
    submissions,
    observations,
    indicators,
    targets,
    assessment,
    bulletins,
    deliveries,
    validation,
    publish,
)

ASSETS = described(dg.load_assets_from_modules(STAGES))

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=[
        checks.expectations,
        *(checks.contracts_of(".".join(key.path) for key in made.keys) for made in ASSETS),
    ],
    jobs=jobs.ALL,
    sensors=sensors.ALL,
    resources={"build": build_resource},
    executor=dg.in_process_executor,
)
