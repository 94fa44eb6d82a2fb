"""Full disks: a size limit on SQLite, a small tmpfs under PostgreSQL — refused in words, nothing half done, then written."""

from __future__ import annotations

import asyncio
import shutil
import subprocess

import psycopg
import pytest

from fengsui.config import configure
from fengsui.flow.inputs import Input, Unwritten
from fengsui.store import vault
from tests.conftest import START, Database
from tests.flow import district
from tests.flow.district import MINUTE, NIGHT, alert
from tests.flow.town import whole
from tests.flow.ways import Way, ask, count, running, until


def _place(tmp_path, template, url=""):
    place = tmp_path / "squeezed"
    shutil.copytree(template, place)
    configure(place, url)
    here = Database(place, url, vault.load(place, START))
    district.populate(here)
    return here


async def _squeezed(house, way, squeeze, loosen):
    """A disk that is full while a warning is issued: refused in words, then written whole under the same id."""
    alarms: list[str] = []
    house.writer.alarm.append(lambda a: alarms.append(a.text))
    await house.writer.post(Input("form-1", alert(expires=NIGHT + 300 * MINUTE)))
    await until(lambda: count() and not count("state = 0"))
    await house.writer.settle()
    before = (ask("SELECT count(*) FROM ledger"), count())
    await squeeze()
    refused = []
    update = Input("form-2", alert(2, at=NIGHT + 1, expires=NIGHT + 400 * MINUTE))
    for _ in range(3):
        with pytest.raises(Unwritten) as said:
            await house.writer.post(update)
        refused.append(str(said.value))
    assert (ask("SELECT count(*) FROM ledger"), count()) == before
    assert all("[R011]" in text for text in refused), refused
    assert any("[R011]" in text for text in alarms)
    assert house.ready
    await loosen()
    answer = await house.writer.post(update)
    assert answer.ok
    await until(lambda: count() > before[1] and not count("state = 0"))
    sent = way.ids()
    assert len(sent) == len(set(sent)) == count("state = 2")


def test_a_full_disk_on_sqlite_refuses_and_recovers(tmp_path, template):
    here = _place(tmp_path, template)

    async def limit(house, pages):
        await house.writer._job(lambda r: r.session.run(f"PRAGMA max_page_count = {pages}"), 1)

    async def night():
        way = Way()
        async with running(here, way) as house:
            await _squeezed(house, way, lambda: limit(house, 1), lambda: limit(house, 2**31))

    asyncio.run(night())
    whole(here)


@pytest.mark.foreign
def test_a_full_disk_under_postgresql_refuses_and_recovers(request, postgresql, template, tmp_path):
    """Its data on a tablespace of a few megabytes (tmpfs), filled to the brim."""
    disk = postgresql._dir / "small"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here (root is needed): {mounted.stderr}")
    try:
        inside = disk / "space"
        inside.mkdir()
        if postgresql._user:
            shutil.chown(inside, postgresql._user)
        with psycopg.connect(postgresql.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{inside}'")
            connection.execute('CREATE DATABASE "squeezed" TEMPLATE "fengsui_template" TABLESPACE small')
        here = _place(tmp_path, template, postgresql.url("squeezed"))

        async def fill():
            ballast = disk / "ballast"
            with ballast.open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"\0" * 4096)
                except OSError:
                    return

        async def empty():
            (disk / "ballast").unlink()

        async def night():
            way = Way()
            async with running(here, way) as house:
                await _squeezed(house, way, fill, empty)

        asyncio.run(night())
        whole(here)
    finally:
        configure(tmp_path)
        postgresql.drop("squeezed")
        with psycopg.connect(postgresql.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", disk], check=True)
