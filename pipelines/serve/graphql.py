"""What a GraphQL request asks for: parsed, never guessed from its text.

Belongs here: reading one request (HTTP body or websocket message), the kinds and root fields of its
operations, and the one form in which it is passed on. Does not belong here: who may ask (``rights``)
or passing it on (``proxy``). Requests are passed on as rebuilt here, so that what was examined is
what Dagster gets: no second reading of doubled keys, encodings, batches or uploads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphql import DocumentNode, SelectionSetNode

MAX_BODY = 4 << 20
MAX_TOKENS = 20_000
"""The largest query of the Dagster UI has about 3,000."""


class RefusedError(ValueError):
    """The request cannot be understood or is of a form that is not accepted; HTTP 400."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the document, its variables, the operation chosen."""

    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None
    kinds: frozenset[str]
    """``query``, ``mutation``, ``subscription``: of every operation in the document."""
    changes: frozenset[str]
    """Root fields of every mutation in the document, whichever operation is chosen."""

    def rebuilt(self) -> bytes:
        """The JSON body that is passed on."""
        said = {"query": self.query, "variables": self.variables}
        if self.operation_name is not None:
            said["operationName"] = self.operation_name
        return json.dumps(said).encode()

    @property
    def words(self) -> str:
        """For the access log: kinds, name, changes; nothing of the variables."""
        name = "".join(c for c in (self.operation_name or "")[:60] if c.isalnum() or c == "_")
        return " ".join([*sorted(self.kinds), name, *sorted(self.changes)]).replace("  ", " ")


def of_body(body: bytes, content_type: str) -> Asked:
    """The request in an HTTP body. Raises RefusedError: not JSON, a batch, an upload, too large."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RefusedError("只接受 application/json")
    if len(body) > MAX_BODY:
        raise RefusedError("请求过大")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError("请求不是 JSON") from None
    return of_said(said)


def of_said(said: Any) -> Asked:
    """The request in a JSON object with ``query``, ``variables``, ``operationName``."""
    if not isinstance(said, dict):
        raise RefusedError("一次只接受一个请求")
    query, variables = said.get("query"), said.get("variables")
    name = said.get("operationName", said.get("operation_name"))
    if not isinstance(query, str):
        raise RefusedError("缺少 query")
    if variables is not None and not isinstance(variables, dict):
        raise RefusedError("variables 应为对象")
    if name is not None and not isinstance(name, str):
        raise RefusedError("operationName 应为文字")
    kinds, changes = examine(query)
    return Asked(query, variables, name or None, kinds, changes)


def examine(query: str) -> tuple[frozenset[str], frozenset[str]]:
    """Kinds of all operations and root fields of all mutations. Raises RefusedError."""
    from graphql import GraphQLError, OperationDefinitionNode, parse

    try:
        document = parse(query, no_location=True, max_tokens=MAX_TOKENS)
    except (GraphQLError, RecursionError):
        raise RefusedError("query 不能解析") from None
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if not operations:
        raise RefusedError("query 中没有操作")
    kinds = frozenset(operation.operation.value for operation in operations)
    changes = frozenset(
        field
        for operation in operations
        if operation.operation.value == "mutation"
        for field in _root_fields(document, operation.selection_set, set())
    )
    return kinds, changes


def _root_fields(
    document: DocumentNode, selected: SelectionSetNode, seen: set[str]
) -> Iterator[str]:
    """Fields at the root, through inline and named fragments; aliases do not hide a name."""
    from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode

    for node in selected.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, InlineFragmentNode):
            yield from _root_fields(document, node.selection_set, seen)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            found = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
                     and d.name.value == node.name.value]  # fmt: skip
            if len(found) != 1:
                raise RefusedError(f"片段 {node.name.value} 未定义或重复")
            yield from _root_fields(document, found[0].selection_set, seen)
