"""重建 Rebuild: fold the ledger again and replace the board by what it says."""

from __future__ import annotations

from fengsui.core.board import rows
from fengsui.core.mind import fold
from fengsui.core.state import State
from fengsui.store import board, history
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


def rebuild(session: Session) -> int:
    """Write the board anew; how many rows differed from what stood there (0 = rebuild equals live)."""
    with session.transaction():
        session.run("SELECT seq FROM chain WHERE id = 1 {lock}")
        streams, _ = fold_all(session)
        after = {id_: row for state in streams.values() for id_, row in rows(state).items()}
        before = board.read(session)
        changed = [row for id_, row in after.items() if before.get(id_) != row]
        gone = [id_ for id_ in before if id_ not in after]
        board.write(session, changed, gone)
    return len(changed) + len(gone)
