"""来信 What arrives in our Maildir: delivery notices become receipts, our recipients' answers replies.

A mail is moved from ``new`` to ``cur`` only after what it says is stored; where it cannot be stored it stays and is
tried again. What cannot be read, or names an id that we never made, changes nothing: it goes to the subfolder
``.unread`` with one line in the log. Source of the folder's form: maildir(5); subfolders: Maildir++.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fengsui.formats import mail, mail_answers
from fengsui.formats.mail_notice import Automatic, Letter, Notice, Unreadable, read
from fengsui.gateways.contract import Deliver, Inward, Receipt, Reply
from fengsui.gateways.inward import Gathering

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds between looks into the folder."""
TOGETHER = 200
"""Mails stored by one call."""
LONGEST = 1 << 20
"""Bytes of a mail that are read: what counts stands at its beginning."""
SHORT, LONG = 0.5, 5.0
"""Seconds between a failure to store and the next try: first and longest."""
UNPROVEN = "（来源未核实）"
"""Before the words of a letter that does not name the one we wrote to its sender: anybody can write any sender, so
such words sign for nobody; a person at the desk reads them."""


class _Mail(NamedTuple):
    """A mail of the folder: its file, what it says (None: nothing for us), and why it is set aside ("": it is not)."""

    path: Path
    item: Inward | None
    aside: str = ""


class Folder:
    """One Maildir and what is made of its mails."""

    def __init__(self, path: Path, seal: mail.Seal, sender: str, bounce: tuple[str, str]) -> None:
        """sender: our own address; bounce: local part and domain of the address that notices come back to."""
        self.path = path
        self.trouble = self._heard = ""
        self._stuck: set[str] = set()  # stored, and could not be moved: not to be stored again
        self._seal = seal
        self._local = sender.partition("@")[0]
        self._bounce = (f"{bounce[0]}+".lower(), f"@{bounce[1]}".lower())

    async def run(self, deliver: Deliver) -> None:
        """Store what comes in until cancelled."""
        gathering = Gathering(
            TOGETHER, short=SHORT, long=LONG, failed="%d 封投递通知或回信未能存下，稍后再试：%r [G055]"
        )
        while True:
            most = gathering.size
            mails = await asyncio.to_thread(self._look, most)
            items = [m.item for m in mails if m.item is not None]
            if await gathering.store(deliver, items, len(mails)):
                await asyncio.to_thread(self._put_away, mails)
                if len(mails) < most:
                    await asyncio.sleep(POLL)
            elif len(mails) == 1:
                await asyncio.to_thread(self._last, mails[0].path)

    # Files, in a thread of their own.

    def _look(self, most: int) -> list[_Mail]:
        """The oldest mails nobody has read yet."""
        self._heard = ""
        try:
            names = [e.name for e in os.scandir(self.path / "new") if e.name not in self._stuck]
        except OSError as error:
            names = []
            self._say(
                f"收件夹读不了（{type(error).__name__}），收不到投递通知和回信；请检查目录和权限。[G054]"
            )
        found = sorted((age, name) for name in names if (age := _age(self.path / "new" / name)))
        mails = [m for _, name in found[:most] if (m := self._read(self.path / "new" / name))]
        self.trouble = self._heard
        return mails

    def _read(self, path: Path) -> _Mail | None:
        try:
            with path.open("rb") as file:
                said = read(file.read(LONGEST))
        except Unreadable:
            return _Mail(path, None, "无法识别")
        except OSError as error:
            self._say(f"收件夹中的邮件读不了（{type(error).__name__}）；请检查权限。[G054]")
            return None
        match said:
            case Notice():
                return self._receipt(path, said)
            case Letter():
                return _Mail(path, self._reply(said))
            case Automatic():
                return _Mail(path, None)

    def _receipt(self, path: Path, notice: Notice) -> _Mail:
        """The receipt that a notice is, if it names an id of ours."""
        named = (self._seal.bounced(token) for address in notice.to for token in self._tokens(address))
        id_ = next((found for found in named if found is not None), None)
        if id_ is None:
            return _Mail(path, None, "编号不是本系统所发")
        dead = notice.state == "failed" and mail_answers.gone(notice.status)
        code = "" if notice.state == "delivered" else notice.status or notice.state
        return _Mail(path, Receipt(str(id_), notice.state, code, notice.at, dead))

    def _tokens(self, address: str) -> Iterable[str]:
        """The id inside an address of ours, or the envelope id itself."""
        before, after = self._bounce
        lower = address.lower()
        if lower.startswith(before) and lower.endswith(after):
            yield lower[len(before) : -len(after)]
        elif "@" not in lower:
            yield lower

    def _reply(self, letter: Letter) -> Reply:
        """A letter as the answer of its sender, if it names the one we wrote to him."""
        proven = (self._seal.answered(id_, letter.sender) for id_ in letter.answers)
        suffix = next((found for found in proven if found is not None), None)
        if suffix is None:
            return Reply(letter.sender, self._local, UNPROVEN + letter.text)
        return Reply(letter.sender, f"{self._local}+{suffix}" if suffix else self._local, letter.text)

    def _put_away(self, mails: Iterable[_Mail]) -> None:
        """What is stored goes to ``cur``, what is nothing to ``.unread``; each in one step."""
        for one in mails:
            folder = self.path / ".unread" if one.aside else self.path
            if one.aside:
                log.warning("一封来信%s，已另存到收件夹的 .unread，什么都没有改变。[G056]", one.aside)
            try:
                for part in ("cur", "new", "tmp") if one.aside else ("cur",):
                    (folder / part).mkdir(parents=True, exist_ok=True)
                one.path.rename(folder / "cur" / f"{one.path.name.partition(':')[0]}:2,S")
            except FileNotFoundError:
                continue  # somebody else has taken it away
            except OSError as error:
                self._stuck.add(one.path.name)
                self._say(f"收件夹中的邮件移不动（{type(error).__name__}）；请检查权限。[G054]")

    def _last(self, path: Path) -> None:
        """A mail that alone could not be stored lets the others go first."""
        try:
            os.utime(path)
        except OSError as error:
            self._say(f"收件夹中的邮件改不了（{type(error).__name__}）；请检查权限。[G054]")

    def _say(self, trouble: str) -> None:
        """Log a trouble when it begins; health shows it while it lasts."""
        self._heard = trouble
        if trouble != self.trouble:
            self.trouble = trouble
            log.warning("%s", trouble)


def _age(path: Path) -> int:
    """When a file was written, ns; 0 if it is not a file or has just been taken away."""
    try:
        found = path.stat()
    except OSError:
        return 0
    return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else 0
