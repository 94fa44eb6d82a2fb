"""库里查出的 Check of a district: what its databases say — ledger, clock, what was left, whom nobody could reach tonight."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from fengsui.core import calendar
from fengsui.core.calendar import MINUTE, SECOND
from fengsui.core.callup import AT_WORK, IN_CHARGE
from fengsui.core.clauses import Pack
from fengsui.core.tables import stands
from fengsui.flow.clock import database_wall
from fengsui.store import departures, history, holds, people, vault, verify
from fengsui.store.sql import Errors, Session

LAST = 20_000
"""Facts at the end of the chain that are recomputed; ``fengsui verify`` walks all of it."""
OFF = MINUTE
"""µs by which clocks may differ."""
SHOWN = 8
"""Names in one line; the rest is a number."""

Kind = Literal["正常", "注意", "故障"]


class Finding(NamedTuple):
    """One line. 正常: well; 注意: to be known; 故障: something will not work."""

    kind: Kind
    code: str
    text: str

    def __str__(self) -> str:
        """As it is printed."""
        return f"{self.kind}　{self.text}[{self.code}]"


def district(
    keys: vault.Vault | None, pack: Pack | None, ways: frozenset[str], now: int
) -> Iterator[Finding]:
    """What its tables say. keys, pack: None where they could not be read; ways: channels that have a gateway."""
    session = Session()
    try:
        if keys:
            yield from _chain(session, keys)
        yield from _clock(session, now)
        yield from _left(session)
        if pack:
            yield from _signers(pack)
            yield from _reachable(session, pack, ways, now)
    finally:
        session.close()


def database() -> Generator[Finding, None, Any]:
    """Whether every database can be opened and has the present tables; gives whether it can be read."""
    sqlite = "archive" in settings.DATABASES
    gone = [a for a, d in settings.DATABASES.items() if sqlite and not Path(str(d["NAME"])).exists()]
    if gone:
        yield Finding("故障", "C030", f"没有数据库（{'、'.join(gone)}）。新站请执行 fengsui init。")
        return False
    try:
        steps, newer = _behind()
    except Errors as error:
        yield Finding("故障", "C030", f"数据库连不上：{error}。请检查数据库服务和 fengsui.toml 的 database。")
        return False
    if newer:
        yield Finding(
            "故障",
            "C031",
            f"数据库已被更新的版本升级（{'、'.join(newer)}）。请用新版程序，或从升级前的备份恢复。",
        )
    elif steps:
        yield Finding(
            "故障",
            "C031",
            f"数据库表结构落后 {steps} 步。请先 fengsui backup，再重启 fengsui serve 自动升级。",
        )
    else:
        yield Finding(
            "正常", "C030", f"数据库可用（{'SQLite' if sqlite else 'PostgreSQL'}），表结构是最新的。"
        )
    return not steps


def _behind() -> tuple[int, list[str]]:
    """How many migrations are missing, and those that this release does not know."""
    steps, newer = 0, set()
    for alias in settings.DATABASES:
        executor = MigrationExecutor(connections[alias])
        steps = max(steps, len(executor.migration_plan(executor.loader.graph.leaf_nodes())))
        newer |= {
            name
            for app, name in executor.loader.applied_migrations
            if app == "store" and (app, name) not in executor.loader.disk_migrations
        }
        connections[alias].close()
    return steps, sorted(newer)


def _chain(session: Session, keys: vault.Vault) -> Iterator[Finding]:
    last = history.last_seq(session)
    faults = list(verify.verify(session, keys, since=max(0, last - LAST)))
    for fault in faults[:SHOWN]:
        yield Finding("故障", "C040", fault.text)
    if not faults:
        yield Finding("正常", "C040", f"台账共 {last} 条，末尾 {min(last, LAST)} 条核验无误。")


def _clock(session: Session, now: int) -> Iterator[Finding]:
    ahead = history.last_at(session) - now
    there = database_wall(session)() - now
    if ahead > OFF:
        yield Finding(
            "故障", "C041", f"本机时间比台账最后一条还早 {ahead // SECOND} 秒。请校时（chrony）后再启动。"
        )
    elif abs(there) > OFF:
        yield Finding("故障", "C041", f"本机与数据库主机的时间相差 {abs(there) // SECOND} 秒。请两边都校时。")
    else:
        yield Finding("正常", "C041", "时间与台账、数据库一致。")


def _left(session: Session) -> Iterator[Finding]:
    """What a person should have seen to: parked inputs, letters nobody understood, lanes that are held."""
    parked = session.run("SELECT count(*), max(error) FROM parked")[0]
    if parked[0]:
        yield Finding(
            "故障",
            "C042",
            f"有 {parked[0]} 项输入处理出错被搁置（{str(parked[1])[:80]}）。请联系开发者并附日志。",
        )
    letters = session.run("SELECT count(*) FROM inbox WHERE state IN ('new', 'unclear', 'unknown')")[0][0]
    if letters:
        yield Finding("故障", "C043", f"有 {letters} 条来信没有看懂或无人处理。请在值班台逐条处理。")
    held = holds.read(session)
    if held:
        waiting = sum(holds.waiting(session).values())
        names = some(["全部车道" if h.lane == holds.EVERY else h.lane for h in held])
        yield Finding(
            "故障",
            "C044",
            f"{names}停发（{held[0].reason}），待发 {waiting} 条。核对后执行 fengsui release。",
        )
    if not (parked[0] or letters or held):
        yield Finding("正常", "C042", "没有搁置的输入、未处理的来信和停发的车道。")


def _reachable(session: Session, pack: Pack, ways: frozenset[str], now: int) -> Iterator[Finding]:
    """Units that owe something in an emergency and whom no message could reach now."""
    directory = people.snapshot(session, ways)
    day = f"{calendar.local(now, pack.zone):%Y-%m-%d}"
    units = [u for u in pack.units.values() if {"members", "townships"} & set(u.groups) and stands(u, day)]
    silent = [
        u.name
        for u in units
        if not directory.reachable.intersection(directory.holders(u.id, *AT_WORK, *IN_CHARGE))
    ]
    if silent:
        yield Finding(
            "故障",
            "C045",
            f"今晚有 {len(silent)} 个单位无人可通知：{some(silent)}。请在名录中补值班员和号码。",
        )
    else:
        yield Finding("正常", "C045", f"{len(units)} 个单位都有可通知的人。")


def _signers(pack: Pack) -> Iterator[Finding]:
    """Whether anybody could sign the levels that ask for a one-time code, by somebody else's hand than the author's."""
    roles = {role for level in pack.rights.totp for role in pack.rights.sign.get(level, ())}
    desk = departures.desk()
    try:
        rows = desk.run("SELECT role, unit, length(totp) FROM account WHERE CAST(active AS INTEGER) = 1")
    finally:
        desk.close()
    signing = [(role, length) for role, unit, length in rows if role in roles and unit in pack.rights.issue]
    able = sum(bool(length) for _, length in signing)
    levels = "、".join(pack.texts.levels[level] for level in pack.rights.totp)
    if pack.rights.totp and signing and not able:
        text = f"能签发{levels}预警的 {len(signing)} 个账号都没有登记动态口令，实战时签不出。请各人在“本人账号”页登记。"
        yield Finding("注意", "C049", text)
    elif pack.rights.totp and able:
        yield Finding("正常", "C049", f"能签发{levels}预警的账号中 {able} 个已登记动态口令。")


def some(names: list[str]) -> str:
    """A few names, and how many they are."""
    return "、".join(names[:SHOWN]) + (f"等 {len(names)} 个" if len(names) > SHOWN else "")
