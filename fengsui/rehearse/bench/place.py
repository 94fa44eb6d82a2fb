"""场地 Place: an empty data directory with invented people and a warning of one short message, for one bench."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fengsui.config import configure
from fengsui.core import wording
from fengsui.core.clauses import Pack
from fengsui.core.directory import Post
from fengsui.core.facts import Alerted
from fengsui.flow import inputs
from fengsui.formats import packs
from fengsui.store import history, people, vault
from fengsui.store.archive import Paper
from fengsui.store.migrate import migrate
from fengsui.store.sql import Session

HOUR = 3_600_000_000
STREAM = "bench-rainstorm-1"
AUTHOR, SIGNER = "p-author", "p-signer"
WORDS = "{issuer}发布{hazard}{level}预警信号，请立即远离河道沟谷和危险房屋，收到请回1。"
CHUNK = 5_000
"""People encrypted and inserted at a time, so that a million need no memory."""


class Occupied(ValueError):  # noqa: N818 - the condition is the name
    """数据目录或数据库里已有台账，量测不会覆盖它。请指向空目录、空数据库，或不设。[B001]"""


@contextlib.contextmanager
def empty(data: Path | None, database: str = "") -> Iterator[vault.Vault]:
    """An empty place (None: a temporary directory), migrated, with keys. Raises Occupied if there is a ledger."""
    with contextlib.ExitStack() as stack:
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fengsui-bench-")))
        elif any(data.glob("*.sqlite3")):
            raise Occupied(Occupied.__doc__)
        data.mkdir(parents=True, exist_ok=True)
        configure(data, database)
        migrate()
        session = Session()
        used = history.last_seq(session)
        session.close()
        if used:
            raise Occupied(Occupied.__doc__)
        yield vault.create(data, time.time_ns() // 1000)


def pack() -> Pack:
    """The shipped pack, its warning's text cut to one part."""
    shipped = packs.load("yunzhou")
    texts = shipped.texts
    short = {**texts.templates, "alert": WORDS, "alert_public": WORDS}
    return msgspec.structs.replace(shipped, texts=msgspec.structs.replace(texts, templates=short))


def populate(keys: vault.Vault, pack: Pack, *, responsible: int, members: int) -> None:
    """Responsible persons with a post each, and members of the public list; names and numbers encrypted."""
    townships = [u for u in pack.units.values() if "townships" in u.groups]
    villages = [a for a in pack.areas.values() if a.kind == "village" and not a.valid_to]
    towns = {u.area: u.id for u in townships}
    homes = [(v.id, towns[v.parent]) for v in villages if v.parent in towns]
    humans, posts = [people.Human(id_, "meteorology", "乙") for id_ in (AUTHOR, SIGNER)], []
    for n in range(responsible):
        area, unit = homes[n % len(homes)]
        humans.append(people.Human(f"p{n:07d}", unit, f"甲{n}", (people.Contact("sms", number(n)),)))
        posts.append(Post(f"{unit}/responsible_person/{n}", unit, "responsible_person", area, f"p{n:07d}"))
    session = Session()
    with session.transaction():
        people.apply(session, keys, people.Edit(people=tuple(humans), posts=tuple(posts)))
    for start in range(0, members, CHUNK):
        rows = tuple(
            people.Member("public", homes[n % len(homes)][0], number(responsible + n))
            for n in range(start, min(start + CHUNK, members))
        )
        with session.transaction():
            people.apply(session, keys, people.Edit(members=rows))
        progress(f"名单 {start + len(rows)}/{members}")
    session.close()


def number(n: int) -> str:
    """An invented mobile number that cannot ring."""
    return f"100{n:08d}"


def signed(
    pack: Pack,
    at: int,
    *,
    version: int = 1,
    stream: str = STREAM,
    level: str = "red",
    hazard: str = "rainstorm",
) -> inputs.Input:
    """A warning for the whole district, written by one and signed by another."""
    paper = Paper("alert", wording.paper(wording.Draft("", f"{stream} {version}")))
    fact = msgspec.convert(
        {
            "kind": "alerted", "stream": stream, "at": at, "version": version, "hazard": hazard,
            "zones": {pack.district: level} if level else {}, "expires": at + 6 * HOUR, "author": AUTHOR,
            "signer": SIGNER, "paper": paper.digest, "replaces": version - 1, "series": "test",
        },
        Alerted,
    )  # fmt: skip
    signature = inputs.Signature(paper.digest, AUTHOR, SIGNER)
    return inputs.Input(f"{stream}/{version}", fact, (paper,), (signature,))


def rss_mb() -> float:
    """Most memory this process has had since it runs this program, MB; 0 where the system does not say (Linux does).

    Not ``ru_maxrss``: that still counts what the process that started us held at that moment.
    """
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    peak = next((line.split()[1] for line in lines if line.startswith("VmHWM")), "0")
    return round(int(peak) * 1024 / 1e6, 1)


def progress(text: str) -> None:
    """Say on standard error how far it is."""
    sys.stderr.write(f"bench: {text}\n")
