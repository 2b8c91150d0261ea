"""What a request asks for is parsed, never guessed; the right each change needs."""

from __future__ import annotations

import json

import pytest

from pipelines.serve import graphql, rights
from pipelines.serve.graphql import RefusedError, examine, of_body, of_said
from pipelines.serve.proxy import message_of

VIEWER, OPERATOR, MAINTAINER = (
    rights.ROLES[role] for role in ("viewer", "operator", "maintainer")
)  # fmt: skip

HIDDEN = {
    "plain": "mutation { wipeAssets(assetPartitionRanges: []) { __typename } }",
    "alias": "mutation { version: wipeAssets(assetPartitionRanges: []) { __typename } }",
    "inline fragment": "mutation { ... on Mutation { ... { wipeAssets { __typename } } } }",
    "fragment": "mutation { ...F } fragment F on Mutation { wipeAssets { __typename } }",
    "fragment in fragment": (
        "mutation { ...A } fragment A on Mutation { ...B }"
        " fragment B on Mutation { wipeAssets { __typename } }"
    ),
    "behind a query": "query A { version } mutation B { wipeAssets { __typename } }",
    "before a query": "mutation B { wipeAssets { __typename } } query A { version }",
    "among harmless ones": "mutation { setNuxSeen wipeAssets { __typename } }",
    "comments and commas": "#query\n,,mutation,#x\n{#y\nwipeAssets\n{__typename}}",
    "byte order mark": "\ufeffmutation{wipeAssets{__typename}}",
    "directive": "mutation { wipeAssets @include(if: true) { __typename } }",
}


@pytest.mark.parametrize("query", HIDDEN.values(), ids=HIDDEN)
def test_a_change_is_found_wherever_it_hides(query):
    kinds, changes = examine(query)
    assert "mutation" in kinds
    assert "wipeAssets" in changes
    for role in (VIEWER, OPERATOR):
        assert rights.missing(changes, role)


def test_a_word_in_a_text_is_no_change():
    kinds, changes = examine('query Q { runOrError(runId: "mutation { wipeAssets }") { id } }')
    assert (kinds, changes) == ({"query"}, set())
    assert rights.missing(changes, VIEWER) == []


def test_the_operation_chosen_does_not_hide_the_others():
    asked = of_said({"query": HIDDEN["behind a query"], "operationName": "A"})
    assert asked.changes == {"wipeAssets"}


@pytest.mark.parametrize(
    ("field", "viewer", "operator", "maintainer"),
    [
        ("launchRun", False, True, True),
        ("launchPartitionBackfill", False, True, True),
        ("terminateRun", False, True, True),
        ("setNuxSeen", False, True, True),
        ("wipeAssets", False, False, True),
        ("deleteRun", False, False, True),
        ("reportRunlessAssetEvents", False, False, False),
        ("reportAssetCheckEvaluations", False, False, False),
        ("shutdownRepositoryLocation", False, False, False),
        ("somethingOfNextYear", False, False, False),
    ],
)
def test_who_may_change_what(field, viewer, operator, maintainer):
    held = [not rights.missing([field], role) for role in (VIEWER, OPERATOR, MAINTAINER)]
    assert held == [viewer, operator, maintainer]


def test_every_change_of_this_dagster_is_either_granted_to_somebody_or_to_nobody_on_purpose():
    from dagster_graphql.schema import create_schema

    known = set(create_schema().graphql_schema.mutation_type.fields)
    assert set(rights.CHANGES) <= known
    assert known - set(rights.CHANGES) == {
        "addDynamicPartition", "deleteAppManagedComponent", "logTelemetry", "refreshComponentState",
        "reportAssetCheckEvaluations", "reportRunlessAssetEvents", "setAppManagedComponent",
        "setAutoMaterializePaused", "shutdownRepositoryLocation",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"query": "{ version }"}', "text/plain"),
        (b'{"query": "{ version }"}', "multipart/form-data; boundary=x"),
        (b'{"query": "{ version }"}', "application/graphql"),
        (b'{"query": "{ version }"}', "application/x-www-form-urlencoded"),
        (b'[{"query": "{ version }"}]', "application/json"),
        (b'{"query": ["{ version }"]}', "application/json"),
        (b'{"query": "{ version }", "variables": "{}"}', "application/json"),
        (b'{"query": "{ version }", "operationName": ["A"]}', "application/json"),
        (b'{"query": "{ version"}', "application/json"),
        (b'{"query": "fragment F on Query { version }"}', "application/json"),
        (b'{"query": "mutation { ...F }"}', "application/json"),
        (b'{"query": "mutation { ...F ...F } fragment F on Mutation { a } '
         b'fragment F on Mutation { wipeAssets }"}', "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
        (json.dumps({"query": "{a" * 30_000}).encode(), "application/json"),
        (json.dumps({"query": "{a" * 4_000 + "}" * 4_000}).encode(), "application/json"),
        (b" " * (graphql.MAX_BODY + 1), "application/json"),
    ],
)  # fmt: skip
def test_other_forms_of_requests_are_refused(body, kind):
    with pytest.raises(RefusedError):
        of_body(body, kind)


def test_what_is_passed_on_is_what_was_examined():
    body = b'{"query": "{ version }", "query": "mutation { wipeAssets }", "more": 1, "variables": null}'
    asked = of_body(body, "application/json; charset=utf-8")
    assert asked.changes == {"wipeAssets"}  # the doubled key: the last one counts, for both sides
    assert json.loads(asked.rebuilt()) == {"query": "mutation { wipeAssets }", "variables": None}


def test_the_log_says_what_was_asked_but_no_values():
    asked = of_said(
        {"query": 'mutation L($a: String) { launchRun(x: "secret") }',
         "operationName": "L\nforged", "variables": {"a": "canary"}}
    )  # fmt: skip
    assert asked.words == "mutation Lforged launchRun"


def test_a_cycle_of_fragments_ends():
    query = "mutation { ...A } fragment A on M { ...B } fragment B on M { ...A wipeAssets }"
    assert examine(query)[1] == {"wipeAssets"}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "start", "id": "1", "payload": {"query": HIDDEN["plain"]}},
        {"type": "start", "id": "1", "payload": {"query": "{ version }"}},
        {"type": "start", "id": "1", "payload": {"query": "subscription { a } mutation { b }"}},
        {"type": "subscribe", "id": "1", "payload": {"query": "subscription { a }"}},
        {"type": "start", "id": "1"},
        [{"type": "connection_init"}],
        "connection_init",
    ],
)
def test_a_websocket_takes_subscriptions_only(message):
    with pytest.raises(RefusedError):
        message_of(json.dumps(message))


def test_a_subscription_is_passed_on_rebuilt():
    said = {"type": "start", "id": 1, "extra": 2,
            "payload": {"query": "subscription S { a }", "operationName": "S", "x": 3}}  # fmt: skip
    assert json.loads(message_of(json.dumps(said))) == {
        "type": "start", "id": "1",
        "payload": {"query": "subscription S { a }", "variables": None, "operation_name": "S"},
    }  # fmt: skip
