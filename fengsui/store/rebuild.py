"""重建 Rebuild: fold the ledger again and replace the board, and the register of signals, by what it says."""

from __future__ import annotations

from fengsui.core import alerts
from fengsui.core.board import rows
from fengsui.core.facts import Alerted
from fengsui.core.mind import fold
from fengsui.core.state import AlertPart, State
from fengsui.store import board, history, signals
from fengsui.store.sql import Session


def fold_all(session: Session) -> tuple[dict[str, State], int]:
    """Every stream's state, and the seq up to which the ledger was folded."""
    streams: dict[str, State] = {}
    seq = 0
    for line in history.facts(session):
        name = line.fact.stream
        streams[name] = fold(streams.get(name) or State.blank(name), line.fact)
        seq = line.seq
    return streams, seq


def rebuild(session: Session, zone: str) -> int:
    """Write board and register anew; how many rows differed from what stood there (0 = rebuild equals live).

    zone: of the pack, in which a year begins.
    """
    with session.transaction():
        session.run("SELECT seq FROM chain WHERE id = 1 {lock}")
        streams, _ = fold_all(session)
        after = {id_: row for state in streams.values() for id_, row in rows(state).items()}
        before = board.read(session)
        changed = [row for id_, row in after.items() if before.get(id_) != row]
        gone = [id_ for id_ in before if id_ not in after]
        board.write(session, changed, gone)
        registered = signals.anew(session, _versions(session), zone)
    return len(changed) + len(gone) + registered


def registered(session: Session, zone: str) -> None:
    """Register signals of a release that had no register yet; nothing to do on any later start."""
    count = "SELECT (SELECT count(*) FROM ledger WHERE kind = 'alerted') - (SELECT count(*) FROM signal)"
    if not session.run(count)[0][0]:
        return
    with session.transaction():
        session.run("SELECT seq FROM chain WHERE id = 1 {lock}")
        signals.anew(session, _versions(session), zone)


def _versions(session: Session) -> list[signals.Version]:
    """Every version of every warning, in order, with the warning as it was after it."""
    parts: dict[str, AlertPart] = {}
    found = []
    for line in history.of_kind(session, "alerted"):
        if isinstance(line.fact, Alerted):
            parts[line.fact.stream] = alerts.fold(parts.get(line.fact.stream, AlertPart()), line.fact)
            found.append(signals.Version(line.seq, line.fact, parts[line.fact.stream]))
    return found
