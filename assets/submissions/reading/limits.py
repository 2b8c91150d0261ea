"""Limits on a received file, each with the reason for its value.

Belongs here: the one place where sizes, counts and times of hostile-input reading are set.
Does not belong here: looking at bytes (prescan) or enforcing anything (prescan, sandbox).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. A monthly return has some 300 to 20,000 cells in under 1 MB."""

    file_bytes: int = 64 * MIB
    """Bytes received. Mail gateways stop at 50 MB; a return with scanned pictures stays below."""
    unpacked_bytes: int = 300 * MIB
    """All members of a zip unpacked: a full 500,000-cell workbook unpacks to about 60 MB."""
    ratio: int = 200
    """Unpacked : packed of a member above ``ratio_from``. Real sheets reach 10–50, bombs 1,000."""
    ratio_from: int = MIB
    """Members up to this size may have any ratio: they cannot hurt."""
    members: int = 5_000
    """Members of a zip. Real workbooks have 10–300; each costs time before anything is read."""
    sheets: int = 256
    """Sheets of a workbook. A county's return with one sheet a park stays below 100."""
    box: int = 5_000_000
    """Rows × columns of the filled area, summed over sheets: readers allocate it densely, and one
    cell at XFD1048576 asks for 512 GB."""
    cells: int = 500_000
    """Cells stored, styled empty ones included: a month of 1,500 parks has 450,000 in all files."""
    merged: int = 10_000
    """Merged ranges of a sheet."""
    text_bytes: int = 100 * MIB
    """Text unpacked to be read as one piece (shared strings, an HTML page, a CSV file)."""
    field_chars: int = 1_000_000
    """Characters of one delimited field; a spreadsheet cell holds 32,767."""
    memory_bytes: int = 1024 * MIB
    """Address space of a reading process (RLIMIT_AS). The worst file within the other limits was
    measured at 430 MB (an .ods at the cell limit); two processes fit a machine with 4 GB."""
    cpu_seconds: int = 60
    """Processor time for one file; a workbook at the cell limit needs 1 to 3 s."""
    wall_seconds: float = 90.0
    """Time on the clock for one file, measured by the parent: catches a process that sleeps."""
    reply_bytes: int = 64 * MIB
    """Encoded cells a reading process may send back, so that it cannot fill the parent."""

    def as_dict(self) -> dict[str, int | float]:
        """Plain dictionary, for the wire and for the log."""
        return asdict(self)


DEFAULT_LIMITS = Limits()
