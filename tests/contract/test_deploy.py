"""The deployment files fit together, and their keys are those the settings and the executors know.

Nothing is deployed here: there is no cluster. The executor's own schema is asked where it is installed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from pipelines import spread
from pipelines.engine_settings import EngineSettings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def engine() -> EngineSettings:
    text = (DEPLOY / "k8s" / "engine.toml").read_text(encoding="utf-8")
    return EngineSettings.model_validate(tomllib.loads(text)["engine"])


@pytest.fixture(scope="module")
def manifests() -> dict[str, dict]:
    text = (DEPLOY / "k8s" / "parkwatch.yaml").read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_the_manifests_name_only_what_they_define(manifests) -> None:
    names = {kind: said["metadata"]["name"] for kind, said in manifests.items()}
    assert {said["metadata"]["namespace"] for said in manifests.values()} == {"parkwatch"}
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["serviceAccountName"] == names["ServiceAccount"]
    assert [source["secretRef"]["name"] for source in container["envFrom"]] == [names["Secret"]]
    claims = {v["name"]: v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"]}
    assert set(claims.values()) == {names["PersistentVolumeClaim"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= set(claims)
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert manifests["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert manifests["Deployment"]["spec"]["replicas"] == 1  # one writer
    assert manifests["RoleBinding"]["roleRef"]["name"] == names["Role"]
    assert manifests["RoleBinding"]["subjects"][0]["name"] == names["ServiceAccount"]


def test_the_jobs_of_shares_get_the_same_folder_secret_and_account_as_the_run(manifests) -> None:
    said = engine()
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    own = said.executor
    assert (said.profile, said.workers) == ("distributed", "k8s")
    assert own["volumes"] == pod["volumes"]
    assert own["volume_mounts"] == container["volumeMounts"]
    assert own["env_secrets"] == [source["secretRef"]["name"] for source in container["envFrom"]]
    assert own["service_account_name"] == pod["serviceAccountName"]
    assert own["job_namespace"] == manifests["Deployment"]["metadata"]["namespace"]
    folders = {f"{each['name']}={each['value']}" for each in container["env"]}
    assert set(own["env_vars"]) <= folders
    (mount,) = own["volume_mounts"]
    assert said.data_path.startswith(mount["mountPath"])


def test_the_secret_is_to_be_filled_in(manifests) -> None:
    assert all("CHANGE" in value for value in manifests["Secret"]["stringData"].values())


def test_celery_workers_listen_where_the_run_puts_its_shares() -> None:
    workers = yaml.safe_load((DEPLOY / "celery" / "celery.yaml").read_text(encoding="utf-8"))
    config = spread._execution(EngineSettings(workers="celery").options())["config"]
    assert set(workers["execution"]["config"]) == set(config) - {"max_concurrent"}
    assert set(config) == {"broker", "backend"}


@pytest.mark.parametrize("workers", ["k8s", "celery"])
def test_the_executor_takes_this_configuration(workers) -> None:
    package = pytest.importorskip(f"dagster_{workers}", reason="make distributed installs it")
    from dagster._config import process_config

    said = engine() if workers == "k8s" else EngineSettings(workers="celery")
    executor = package.k8s_job_executor if workers == "k8s" else package.celery_executor
    taken = process_config(
        executor.config_schema.config_type, spread._execution(said.options())["config"]
    )
    assert taken.success, [error.message for error in taken.errors or ()]
