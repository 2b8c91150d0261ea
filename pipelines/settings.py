"""Settings of a workspace: environment over ``parkwatch.toml`` over defaults, all errors at once.

Belongs here: reading and checking settings. Does not belong here: paths inside a workspace
(``warehouse.workspace``) or policy (the catalogue). Secrets come only from the environment or files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pipelines.engine_settings import EngineSettings
from pipelines.mail_settings import (
    PASSWORD_IN_FILE,
    MailSettings,
    ReleaseSettings,
    passwords_in,
    shown_input,
)
from pipelines.serve.options import ServeSettings
from warehouse.catalog.problems import in_words
from warehouse.catalog.yaml_words import toml_form
from warehouse.workspace import HOME_VARIABLE, Automation, Bureau, Workspace, home_folder

SETTINGS_FILE = "parkwatch.toml"
PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class SettingsError(ValueError):
    """Settings cannot be used; the message lists every problem, where it is and how to mend it."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeriodSettings(_Section):
    """``[periods]``: the calendar of reporting."""

    first_month: int = Field(2, ge=1, le=3)
    timezone: str = "Asia/Shanghai"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"不认识的时区 {name},例:Asia/Shanghai") from error
        return name


class CatalogSettings(_Section):
    """``[catalog]``: which shipped catalogue the workspace starts from."""

    base: str = "china_parks"


class ReaderSettings(_Section):
    """``[reader]``: the limited child processes that read files."""

    processes: int = Field(2, ge=1, le=64)
    password_file: Path | None = None


class BulletinSettings(_Section):
    """``[bulletin]``: whom a run writes editions for (``all``, ``wide``, ``main`` or audience ids)."""

    audiences: tuple[str, ...] = ("all",)


class AutomationSettings(_Section):
    """``[automation]``: what the daemon does by itself; see ``warehouse.workspace.Automation``."""

    policy: Literal["all", "latest", "none"] = "all"
    since: str | None = None
    through: str | None = None
    hour: int = Field(0, ge=0, le=23)
    inbox: bool = True
    send: bool = True
    profile: str = "full"
    retry_minutes: tuple[int, ...] = (5, 30, 120, 480)
    operators: tuple[str, ...] = ()
    backup_folder: Path | None = None
    backup_days: int = Field(35, ge=1)
    keep_runs_days: int = Field(400, ge=1)

    @field_validator("since", "through")
    @classmethod
    def _a_period(cls, text: str | None) -> str | None:
        if text is not None and not PERIOD.fullmatch(text):
            raise ValueError(f"报告期应写作 YYYY-MM,读到 {text}")
        return text


class Settings(BaseSettings):
    """Everything ``parkwatch.toml`` may say."""

    model_config = SettingsConfigDict(
        env_prefix="PARKWATCH_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    bureau: Bureau
    periods: PeriodSettings = PeriodSettings()  # type: ignore[call-arg]
    catalog: CatalogSettings = CatalogSettings()
    reader: ReaderSettings = ReaderSettings()  # type: ignore[call-arg]
    mail: MailSettings | None = None
    release: ReleaseSettings = ReleaseSettings()  # type: ignore[call-arg]
    bulletin: BulletinSettings = BulletinSettings()
    automation: AutomationSettings = AutomationSettings()  # type: ignore[call-arg]
    engine: EngineSettings = EngineSettings()  # type: ignore[call-arg]
    serve: ServeSettings = ServeSettings()  # type: ignore[call-arg]
    default_period: str | None = None
    simulated: bool = False
    language: str = "zh"

    @field_validator("default_period")
    @classmethod
    def _a_period(cls, text: str | None) -> str | None:
        if text is not None and not PERIOD.fullmatch(text):
            raise ValueError(f"报告期应写作 YYYY-MM,读到 {text}")
        return text

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        **_unused: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line (init), then environment, then the workspace's file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_workspace(home: Path | None = None, **overrides: Any) -> Workspace:
    """The workspace at ``home`` with its settings.

    Raises SettingsError when there is no settings file or any setting is wrong.
    """
    folder = home_folder(home)
    file = folder / SETTINGS_FILE
    if not file.is_file():
        raise SettingsError(
            f"找不到工作区设置:{file}\n"
            f"处理:用 parkwatch init {_shown(folder)} --example shaanxi 新建工作区,"
            f"或用 --home / 环境变量 {HOME_VARIABLE} 指定已有工作区。"
        )
    settings = _read(file, overrides)
    try:
        mail = (
            settings.mail.options(folder, settings.bureau.mail_address) if settings.mail else None
        )
    except OSError as error:
        raise SettingsError(f"设置有误:[mail] 的口令文件无法读取:{error}") from error
    return Workspace(
        home=folder,
        bureau=settings.bureau,
        timezone=settings.periods.timezone,
        first_month=settings.periods.first_month,
        catalog_base=settings.catalog.base,
        default_period=settings.default_period,
        simulated=settings.simulated,
        language=settings.language,
        reader_processes=settings.reader.processes,
        password_file=settings.reader.password_file,
        mail=mail,
        release=settings.release.options(),
        audiences=settings.bulletin.audiences,
        automation=_automation(settings, folder),
        engine=settings.engine.options(),
        serving=settings.serve.options(folder),
    )


def _automation(settings: Settings, folder: Path) -> Automation:
    """What is automated; watching begins at the default period unless the settings say another."""
    said = settings.automation.model_dump()
    said["since"] = said["since"] or settings.default_period
    if said["backup_folder"] is not None:
        said["backup_folder"] = folder / Path(said["backup_folder"]).expanduser()
    return Automation(**said)


def _read(file: Path, overrides: dict[str, Any]) -> Settings:
    import tomllib

    class InFile(Settings):
        model_config = SettingsConfigDict(**{**Settings.model_config, "toml_file": file})

    try:
        in_file = [f"  {name}:{PASSWORD_IN_FILE}" for name in passwords_in(file)]
        if in_file:
            raise SettingsError(f"设置有误,请修改 {file}:\n" + "\n".join(in_file))
        return InFile(**overrides)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} 不是有效的 TOML,{toml_form(str(error))}") from error
    except ValidationError as error:
        lines = [f"  {_in_words(e)}" for e in error.errors()]
        raise SettingsError(
            f"设置有误,请修改 {file}:\n" + "\n".join(lines)
        ) from None  # the error itself holds every value it read


def _in_words(detail: Any) -> str:
    """Field, what is wrong, what was read, how to mend it."""
    place, known = detail["loc"], _fields_beside(detail["loc"])
    message, expected, mend = in_words(detail, known)
    tail = "".join([f";应为:{expected}" if expected else "", f";处理:{mend}" if mend else ""])
    found = "" if detail["type"].startswith("missing") else shown_input(place, detail["input"])
    return f"{'.'.join(map(str, place)) or '(整体)'}:{message}{found}{tail}"


def _fields_beside(place: tuple[int | str, ...]) -> list[str]:
    """Names of the settings that may stand where this one stands."""
    model: Any = Settings
    for part in place[:-1]:
        field = _fields_of(model).get(part)
        kind = getattr(field, "annotation", None) or getattr(field, "type", None)
        model = next((each for each in (kind, *get_args(kind)) if _fields_of(each)), None)
    return [*_fields_of(model)]


def _fields_of(model: Any) -> dict[Any, Any]:
    """Fields of a model or a dataclass; none of anything else."""
    fields = getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", None)
    return dict(fields or {})


def _shown(folder: Path) -> str:
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)
