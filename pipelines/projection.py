"""The column dictionary projected onto Dagster: descriptions, groups, owners, kinds, columns, lineage.

Belongs here: translating ``warehouse.schema`` into Dagster's metadata, so that nothing about a table
is typed twice. Does not belong here: new facts about a table.
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from warehouse import schema

OWNER = "team:parkwatch"


def described(assets: Iterable[dg.AssetsDefinition | dg.AssetSpec]) -> list:
    """The assets with everything the dictionary knows of their tables."""
    return list(dg.map_asset_specs(_with_dictionary, list(assets)))


def _with_dictionary(spec: dg.AssetSpec) -> dg.AssetSpec:
    table = schema.table(".".join(spec.key.path))
    return spec.replace_attributes(
        description=f"{table.zh}. {table.description}",
        group_name=table.group,
        owners=[OWNER],
        kinds=set(table.kinds),
        metadata={
            **spec.metadata,
            "dagster/column_schema": column_schema(table),
            "dagster/column_lineage": column_lineage(table),
            "dagster/table_name": table.full_name,
            "key": ", ".join(table.key),
        },
    )


def column_schema(table: schema.Table) -> dg.TableSchema:
    """Columns with type, label, description and constraints."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=f"{column.zh}: {column.description}",
                constraints=dg.TableColumnConstraints(
                    nullable=not column.required,
                    unique=table.key == (column.name,),
                    other=[f"one of {', '.join(column.allowed)}"] if column.allowed else [],
                ),
            )
            for column in table.columns
        ],
        constraints=dg.TableConstraints(other=[f"key ({', '.join(table.key)})"]),
    )


def column_lineage(table: schema.Table) -> dg.TableColumnLineage:
    """From which column of which table each column comes."""
    return dg.TableColumnLineage(
        deps_by_column={
            column.name: [_dependency(source) for source in column.lineage]
            for column in table.columns
            if column.lineage
        }
    )


def _dependency(source: str) -> dg.TableColumnDep:
    group, table, column = source.split(".")
    return dg.TableColumnDep(asset_key=[group, table], column_name=column)
