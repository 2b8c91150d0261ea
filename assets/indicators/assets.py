"""Dagster assets of stage 3: park-month and park-year indicators, area totals, the calendar.

Belongs here: the assets of this stage. Does not belong here: deriving or forecasting (the pure
modules beside this one, ``warehouse/sql``).
"""

import dagster as dg

from assets.build import Build, describe
from assets.indicators import divided
from assets.submissions.assets import PERIODS, result, spec
from warehouse import derive
from warehouse.schema import upstream_keys


@dg.asset(
    key=["indicators", "park_month"],
    deps=upstream_keys("indicators.park_month"),
    partitions_def=PERIODS,
)
def park_month(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Cumulative, single-month and prior-year values with growth and its basis."""
    divided.refresh_park_month(build)
    with build.looking() as connection:
        where = f"period = '{context.partition_key}'"
        return result(describe(connection, "indicators.park_month", where))


@dg.asset(
    key=["indicators", "park_year"],
    deps=upstream_keys("indicators.park_year"),
    partitions_def=PERIODS,
)
def park_year(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """Year values as of the period: final or year to date."""
    with build.step("计算年度指标") as connection:
        derive.refresh_park_year(
            connection, context.partition_key, each_month=bool(build.catalog.schemes)
        )
        where = f"asof_period = '{context.partition_key}'"
        return result(describe(connection, "indicators.park_year", where))


@dg.asset(
    key=["indicators", "area_year"],
    deps=upstream_keys("indicators.area_year"),
    partitions_def=PERIODS,
)
def area_year(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """County, city and province totals; 飞地 counted once."""
    with build.step("汇总地区指标") as connection:
        derive.refresh_area_year(connection, build.catalog.known_indicators, asof=build.asof)
        where = f"asof_period = '{context.partition_key}' AND area_level = 'province'"
        return result(describe(connection, "indicators.area_year", where))


@dg.multi_asset(
    specs=[spec("indicators.nowcast"), spec("indicators.area_nowcast")],
    name="nowcast",
    partitions_def=PERIODS,
)
def nowcast(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """What the year may still become, from the months so far, and how sure that is."""
    from assets.indicators import nowcast_rows

    with build.step("推算全年") as connection:
        nowcast_rows.refresh_nowcast(connection, build, context.partition_key)
        where = f"asof_period = '{context.partition_key}'"
        yield result(describe(connection, "indicators.nowcast", where))
        yield result(describe(connection, "indicators.area_nowcast", where))


@dg.asset(
    key=["indicators", "track_record"],
    deps=upstream_keys("indicators.track_record"),
    partitions_def=PERIODS,
)
def track_record(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """How the forecasts of closed years came out."""
    from assets.indicators import nowcast_rows

    with build.step("评分往年推算") as connection:
        nowcast_rows.refresh_track_record(connection, build, context.partition_key)
        where = f"year = {context.partition_key[:4]}"
        return result(describe(connection, "indicators.track_record", where))


@dg.asset(
    key=["indicators", "coverage"],
    deps=upstream_keys("indicators.coverage"),
    partitions_def=PERIODS,
)
def coverage(context: dg.AssetExecutionContext, build: dg.ResourceParam[Build]):
    """How every indicator of the catalogue is obtained, and for how many parks it is known."""
    with build.step("核对指标覆盖") as connection:
        derive.refresh_coverage(connection)
        where = f"asof_period = '{context.partition_key}'"
        return result(describe(connection, "indicators.coverage", where))


@dg.asset(key=["dims", "calendar"], deps=upstream_keys("dims.calendar"), partitions_def=PERIODS)
def calendar(build: dg.ResourceParam[Build]):
    """Report periods seen so far with their labels and time progress."""
    with build.step("更新报告期") as connection:
        derive.refresh_calendar(connection)
        return result(describe(connection, "dims.calendar"))
