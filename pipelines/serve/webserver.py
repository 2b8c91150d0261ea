"""Dagster's webserver on a socket only the gate reaches, obeying the rights the gate tells.

Belongs here: starting it and mapping our rights onto Dagster's permissions, so that its pages show
only what the person may do and its server refuses the rest a second time. Does not belong here:
logins, what is asked (``guard``, ``proxy``). A request without rights is a viewer's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.serve import rights

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "/dagster"
RIGHTS_HEADER = "x-parkwatch-rights"
POLL_MS = 2000
OPERATING = (
    "launch_pipeline_execution", "launch_pipeline_reexecution", "start_schedule",
    "stop_running_schedule", "schedule_dry_run", "edit_sensor", "sensor_dry_run",
    "terminate_pipeline_execution", "reload_repository_location", "reload_workspace",
    "launch_partition_backfill", "cancel_partition_backfill",
)  # fmt: skip
MAINTAINING = (
    "delete_pipeline_run", "wipe_assets", "update_sensor_cursor", "edit_dynamic_partitions",
    "edit_concurrency_limit",
)  # fmt: skip


def allowed(held: frozenset[str]) -> frozenset[str]:
    """Names of Dagster's permissions a holder of our rights has."""
    return frozenset(
        (*(OPERATING if rights.OPERATE in held else ()),
         *(MAINTAINING if rights.MAINTAIN in held else ()))
    )  # fmt: skip


def told(source: Any) -> frozenset[str]:
    """Rights told with a connection; none when it tells none."""
    headers = getattr(source, "headers", {})
    return frozenset(str(headers.get(RIGHTS_HEADER, "")).split())


def permissions(held: frozenset[str]) -> Mapping[str, Any]:
    """Every permission Dagster knows, granted or not."""
    from dagster._core.workspace.permissions import PermissionResult, Permissions

    granted = allowed(held)
    why = "您的角色没有此权限"
    return {
        str(one): PermissionResult(str(one) in granted, None if str(one) in granted else why)
        for one in Permissions
    }


def context_class() -> type:
    """Dagster's process context whose request contexts ask ``permissions``."""
    from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
    from dagster._core.workspace.permissions import LOCATION_SCOPED_PERMISSIONS

    class Request(WorkspaceRequestContext):
        """What one request may."""

        @property
        def permissions(self) -> Mapping[str, Any]:
            return permissions(told(self.source))

        def permissions_for_location(self, *, location_name: str) -> Mapping[str, Any]:  # noqa: ARG002
            every = permissions(told(self.source))
            return {one: every[str(one)] for one in LOCATION_SCOPED_PERMISSIONS}

    class Context(WorkspaceProcessContext):
        """Dagster as it is, but for whom it serves."""

        def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
            return Request(
                instance=self.instance,
                current_workspace=self.get_current_workspace(),
                process_context=self,
                version=self.version,
                source=source,
                read_only=not allowed(told(source)),
            )

    return Context


def run(socket: Path, workspace_file: Path) -> None:
    """Serve until told to end (SIGTERM)."""
    import uvicorn
    from dagster import DagsterInstance
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.version import __version__

    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(statement_timeout=15000, pool_recycle=3600, max_overflow=20)
        target = WorkspaceFileTarget([str(workspace_file)])
        with context_class()(
            instance, workspace_load_target=target, version=__version__,
            code_server_log_level="warning",
        ) as context:  # fmt: skip
            app = create_app_from_workspace_process_context(context, PREFIX, POLL_MS)
            uvicorn.run(app, uds=str(socket), log_level="warning", server_header=False,
                        timeout_graceful_shutdown=3)  # fmt: skip
