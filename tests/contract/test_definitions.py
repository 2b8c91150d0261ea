"""The Dagster graph keeps its promises: every asset and check is described, owned and typed."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse import schema

ROOT = Path(__file__).resolve().parents[2]
GRAPH = Path(__file__).with_name("graph.txt")


@pytest.fixture(scope="module")
def defs():
    from pipelines.definitions import defs

    return defs


@pytest.fixture(scope="module")
def specs(defs):
    return {".".join(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}


def test_asset_keys_are_the_tables_of_the_dictionary(specs):
    assert set(specs) == {table.full_name for table in schema.TABLES}


def test_every_asset_has_description_owner_group_kinds_and_columns(specs):
    for name, spec in specs.items():
        table = schema.table(name)
        assert spec.description and table.zh in spec.description, name
        assert spec.owners, name
        assert spec.group_name == table.group, name
        assert spec.kinds == set(table.kinds), name
        columns = spec.metadata["dagster/column_schema"].columns
        assert [c.name for c in columns] == [c.name for c in table.columns], name
        assert all(c.description and c.type for c in columns), name


def test_upstream_tables_are_those_of_the_dictionary(specs):
    for name, spec in specs.items():
        upstream = {".".join(dep.asset_key.path) for dep in spec.deps}
        assert upstream == set(schema.table(name).reads), name


def test_every_check_is_described(defs):
    checks = list(defs.resolve_asset_graph().asset_check_keys)
    assert len(checks) > len(schema.TABLES)
    for key in checks:
        assert defs.resolve_asset_graph().get(key).description, key


def test_graph_is_the_committed_one(defs, specs):
    """A readable list of what exists; change it together with the graph, on purpose."""
    lines = [f"asset {name} [{spec.group_name}]" for name, spec in sorted(specs.items())]
    keys = defs.resolve_asset_graph().asset_check_keys
    lines += sorted(f"check {'.'.join(k.asset_key.path)}:{k.name}" for k in keys)
    lines += sorted(
        f"job {job.name}" for job in defs.resolve_all_job_defs() if not job.name.startswith("__")
    )
    lines += sorted(
        f"sensor {sensor.name}"
        + "".join(f" -> {job.name}" for job in (sensor.jobs if sensor.has_jobs else ()))
        for sensor in defs.sensors
    )
    lines += sorted(f"schedule {schedule.name}" for schedule in defs.schedules or ())
    fresh = [name for name, spec in specs.items() if spec.freshness_policy is not None]
    lines += [f"freshness policy {name}" for name in sorted(fresh)]
    assert lines == GRAPH.read_text(encoding="utf-8").splitlines(), "\n".join(lines)


def test_loading_definitions_leaves_great_expectations_alone():
    code = (
        "import sys; import pipelines.definitions; "
        "print(sorted(m for m in ('great_expectations', 'pandas', 'typst') if m in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["--help", "status --help"])
def test_help_and_status_import_nothing_heavy(command):
    code = (
        "import sys\n"
        "from pipelines.cli.main import main\n"
        f"sys.argv = ['parkwatch', *{command.split()!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('dagster', 'duckdb', 'pandas', 'polars', 'numpy', 'great_expectations', 'typst',\n"
        "         'pyarrow', 'openpyxl', 'httpx', 'jinja2', 'pydantic_settings', 'yaml')\n"
        "print('HEAVY', sorted(m for m in heavy if m in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip().endswith("HEAVY []"), told.stdout[-300:]


def test_workspace_file_loads_from_any_directory(tmp_path):
    code = (
        "from dagster._core.workspace.load_target import WorkspaceFileTarget\n"
        f"origins = WorkspaceFileTarget([{str(ROOT / 'workspace.yaml')!r}]).create_origins()\n"
        "print([o.location_name for o in origins])\n"
        "import pipelines.definitions"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert told.stdout.strip() == "['parkwatch']"


def test_no_installed_distribution_ships_a_module_of_our_names():
    ours = {"pipelines", "assets", "methods", "quality", "warehouse", "report_templates", "tests"}
    clashes = {
        (dist.metadata["Name"], str(path).split("/")[0])
        for dist in importlib.metadata.distributions()
        if dist.metadata["Name"] != "parkwatch"
        for path in dist.files or ()
        if str(path).split("/")[0] in ours
    }
    assert not clashes
