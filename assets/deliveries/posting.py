"""Letters to reporters (退回、催报) entered in the outbox, each once.

Belongs here: which letters of a period become mails and to which address. Does not belong here:
making letters (``returning``, ``reminding``), planning or sending one (``sending``).
"""

from __future__ import annotations

from typing import Any

from assets.deliveries.returning import Returning, build_returns, today_of
from assets.deliveries.sending import Sending, plan_letter
from quality.letters import Letter
from warehouse.filing_ledger import FilingLedger
from warehouse.outbox_ledger import OutboxLedger


def plan_letters(sending: Sending, ledger: OutboxLedger, period: str) -> dict[str, Any]:
    """Plan the returns of a period and every reminder that was produced for it; what is planned
    already stays as it is. Counts of new mails, and reporters without an address."""
    return _plan(sending, ledger, [*_returns(sending, period), *_reminders(sending, period)])


def _plan(
    sending: Sending, ledger: OutboxLedger, letters: list[tuple[str, Letter]]
) -> dict[str, Any]:
    known = {r.reporter_id: r for r in sending.catalog.reporters}
    found: dict[str, Any] = {"return": 0, "reminder": 0, "no_address": []}
    for kind, letter in letters:
        reporter = known.get(letter.recipient)
        if reporter is None or not reporter.email:
            name = reporter.name if reporter else letter.recipient
            if name not in found["no_address"]:
                found["no_address"].append(name)
            continue
        found[kind] += plan_letter(sending, ledger, letter, kind, reporter.email, reporter.name)
    return found


def _returns(sending: Sending, period: str) -> list[tuple[str, Letter]]:
    from assets.submissions.reading.sandbox import ReaderPool

    with ReaderPool(1) as pool:
        task = Returning(
            sending.workspace,
            sending.catalog,
            today_of(sending.workspace, sending.clock()),
            lambda: pool,
        )
        return [("return", made.letter) for made in build_returns(task, period)]


def _reminders(sending: Sending, period: str) -> list[tuple[str, Letter]]:
    """Produced reminders as they lie on disk: subject, empty line, text."""
    found = []
    for row in FilingLedger(sending.workspace.state_file).letters(period):
        text = (sending.workspace.home / row["file"]).read_text(encoding="utf-8")
        subject, _, body = text.partition("\n\n")
        found.append(("reminder", Letter(row["reporter"], subject, body, (), row["key"])))
    return found
