"""此处 Here: the running house as pages see it — set once by whoever composes the process.

Pages read ``world`` (as of the last commit) and the store; they write only by ``record``.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as Late

from fengsui.core import drill
from fengsui.core.clauses import Pack
from fengsui.core.facts import Fact
from fengsui.core.state import World
from fengsui.flow.inputs import Answer, Input, Parked, Signature, Unwritten
from fengsui.flow.serve import House
from fengsui.store import history
from fengsui.store.archive import Paper
from fengsui.store.people import Edit
from fengsui.store.sql import Session

WAIT = 10.0
"""Seconds a page waits for the writer before it says that it does not know."""

_house: House | None = None
_telephone = ""
_local = threading.local()


class Absent(RuntimeError):  # noqa: N818 - the condition is the name
    """系统尚未装载完毕，请稍候再试。[W020]"""


def bind(house: House | None, telephone: str = "") -> None:
    """Set (or unset) the house that pages of this process belong to, and the weather office's number ("" = none)."""
    globals().update(_house=house, _telephone=telephone)


def telephone() -> str:
    """The number of the weather office that phone pages offer to dial, "" = none."""
    return _telephone


def house() -> House:
    """The running house. Raises Absent before it is there."""
    if _house is None:
        raise Absent(Absent.__doc__)
    return _house


def world() -> World:
    """Everything known as of the last commit."""
    return house().writer.world


def seq() -> int:
    """The last fact that ``world`` holds; 0 before the house is there."""
    return _house.writer.position[1] if _house is not None else 0


def live() -> World:
    """The same without drills: what pages in earnest speak of."""
    return drill.live(world())


def pack() -> Pack:
    """The pack in force."""
    return world().pack


def now() -> int:
    """The house's time, UTC µs."""
    return house().clock.now()


def session() -> Session:
    """This thread's reading connection."""
    found: Session | None = getattr(_local, "session", None)
    if found is None or getattr(_local, "house", None) is not _house:
        found = _local.session = Session()
        _local.house = _house
    return found


def recorded(form: str) -> bool:
    """Whether a form has been recorded already: it comes by a second click, or by a way back."""
    return bool(form) and bool(history.consequences(session(), f"form/{form}"))


def record(
    fact: Fact,
    *,
    form: str = "",
    papers: Sequence[Paper] = (),
    signatures: Sequence[Signature] = (),
    edit: Edit | None = None,
) -> Answer:
    """Have a fact considered and wait for the commit. form: the form's own token, so that a double click counts once.

    A refusal is an answer with a code; so is a writer that cannot write (try again).
    """
    one = Input(f"form/{form or secrets.token_hex(12)}", fact, tuple(papers), tuple(signatures), edit)
    try:
        return house().writer.post(one).result(WAIT)
    except (Parked, Unwritten) as error:
        return Answer(one.id, 0, "W021", str(error))
    except Late:
        return Answer(
            one.id, 0, "W022", "系统繁忙，结果尚不知道。请刷新页面看是否已经记录，不要重复填写。[W022]"
        )
