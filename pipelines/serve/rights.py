"""Rights (权限) and the roles that hold them: who may look, operate, hand in, approve, maintain.

Belongs here: the names of rights and roles, and which right each change of the Dagster API needs. Does
not belong here: users (``users``), telling what a request asks for (``graphql``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

VIEW, OPERATE, SUBMIT, APPROVE, MAINTAIN = "view", "operate", "submit", "approve", "maintain"
RIGHTS: Mapping[str, str] = {
    VIEW: "查看",
    OPERATE: "启动运行、补做",
    SUBMIT: "送审、撤回签发",
    APPROVE: "签发、退回、撤回签发",
    MAINTAIN: "清除资产记录、删除运行",
}
ROLES: Mapping[str, tuple[str, ...]] = {
    "viewer": (VIEW,),
    "operator": (VIEW, OPERATE, SUBMIT),
    "approver": (VIEW, APPROVE),
    "maintainer": (VIEW, OPERATE, MAINTAIN),
}
"""Shipped roles; ``users.yaml`` may name others. None of the first three may destroy anything."""
ROLES_ZH: Mapping[str, str] = {
    "viewer": "查阅", "operator": "操作", "approver": "签发", "maintainer": "维护",
}  # fmt: skip

CHANGES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "launchRun", "launchPipelineExecution", "launchMultipleRuns",
            "launchRunReexecution", "launchPipelineReexecution",
            "launchPartitionBackfill", "cancelPartitionBackfill", "resumePartitionBackfill",
            "reexecutePartitionBackfill",
            "terminateRun", "terminateRuns", "terminatePipelineExecution",
            "startSensor", "stopSensor", "resetSensor", "sensorDryRun",
            "startSchedule", "stopRunningSchedule", "resetSchedule", "scheduleDryRun",
            "reloadWorkspace", "reloadRepositoryLocation", "setNuxSeen",
        ),
        OPERATE,
    ),
    **dict.fromkeys(
        (
            "wipeAssets", "deleteRun", "deletePipelineRun", "deleteDynamicPartitions",
            "setSensorCursor", "setConcurrencyLimit", "deleteConcurrencyLimit",
            "freeConcurrencySlots", "freeConcurrencySlotsForRun",
        ),
        MAINTAIN,
    ),
}  # fmt: skip
"""Right each mutation of Dagster's GraphQL needs. One that is not listed is refused to everybody: a
new Dagster may bring changes nobody has thought about, and some forge results
(``reportRunlessAssetEvents``, ``reportAssetCheckEvaluations``)."""


def missing(fields: Iterable[str], rights: Iterable[str]) -> list[str]:
    """Those mutation ``fields`` that a holder of ``rights`` may not ask for, in order."""
    held = set(rights)
    return sorted(field for field in set(fields) if CHANGES.get(field) not in held)
