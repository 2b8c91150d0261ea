"""The page behind a receipt link (签收): open to whoever holds the signed link, without a login.

Belongs here: reaching ``receipts`` from the gate. Does not belong here: what a receipt is and says
(``assets.deliveries.receipts``). The link is as good as a signature: the access log leaves it out.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from assets.deliveries import receipts
from pipelines.settings import load_workspace

PREFIX = "/receipt/"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The page brings its style with it, so that it needs nothing else of the gate."""


class ReceiptPage:
    """Answers links of one workspace; looking records nothing, the button does."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def answer(self, request: Request) -> Response:
        """The page of a link (GET), or its confirmation (POST)."""
        said = receipts.confirm if request.method == "POST" else receipts.look
        answer = said(load_workspace(self.home), request.path_params["token"])
        return HTMLResponse(
            receipts.page(answer), answer.status, headers={"content-security-policy": POLICY}
        )


def without_token(path: str) -> str:
    """The path as the access log may keep it."""
    return PREFIX + "…" if path.startswith(PREFIX) else path
