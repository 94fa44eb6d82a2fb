"""输入 Inputs: what people and the outside post to the writer, and what they get for it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

import msgspec

from fengsui.core.facts import Fact
from fengsui.store.archive import Paper
from fengsui.store.leases import Leased
from fengsui.store.people import Edit

T = TypeVar("T")


class Signature(msgspec.Struct, frozen=True):
    """Who wrote and who signed a paper (digest); mode and reason only where one person did both."""

    paper: str
    author: str
    signer: str
    mode: str = ""
    reason: str = ""


class Input(msgspec.Struct, frozen=True):
    """A fact to be admitted, under its source's id (form token; gateway + message id): the same id counts once.

    papers are archived first; signatures and the directory's edit are written in the same commit, or not at all.
    """

    id: str
    fact: Fact
    papers: tuple[Paper, ...] = ()
    signatures: tuple[Signature, ...] = ()
    edit: Edit | None = None


class Answer(msgspec.Struct, frozen=True):
    """What became of an input. seq: its place in the ledger, 0 if it was refused; code and text say why.

    already: it had happened before; nothing was written, and that is no fault.
    """

    id: str
    seq: int = 0
    code: str = ""
    text: str = ""
    already: bool = False

    @property
    def ok(self) -> bool:
        """Whether what was asked is so now."""
        return self.already or not self.code


class Pending(Future[T]):
    """What a thread waits for with ``result()`` and a coroutine with ``await``.

    It cannot be cancelled: whoever stops waiting does not undo what the writer does.
    """

    def cancel(self) -> bool:
        """Never: the writer alone ends it."""
        return False

    def __await__(self) -> Generator[Any, None, T]:
        """Wait without holding up the event loop."""
        return asyncio.wrap_future(self).__await__()


class Batch(NamedTuple):
    """Leased rows under one token; empty = nothing is due."""

    token: int
    rows: list[Leased]


class Letter(NamedTuple):
    """A message in the inbox: its id, the channel it came by, persons with that number or address, (stream, version)
    it answers where known, its words.
    """

    id: str
    channel: str
    persons: tuple[str, ...]
    named: tuple[str, int] | None
    text: str


class Change(NamedTuple):
    """What a commit changed, for whoever waits: the last seq, streams touched, whether new deliveries are due."""

    seq: int
    streams: tuple[str, ...]
    deliveries: bool


class Unwritten(Exception):  # noqa: N818 - the condition is the name
    """暂时无法写入，这一项没有记录，请重试。[R010]"""


class Malformed(ValueError):  # noqa: N818 - the condition is the name
    """编号或过程名含有数据库不能存的字符，没有记录。[R024]"""


class Parked(Exception):  # noqa: N818 - the condition is the name
    """处理这一项时程序出错，已搁置并报警，什么都没有发生。请联系管理员。[R020]"""
