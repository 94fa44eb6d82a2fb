"""建站 Init: writes what a new place needs — settings in Chinese, a pack of its own to edit, keys, the first login."""

from __future__ import annotations

import secrets
from pathlib import Path

from fengsui.config import site
from fengsui.formats import packs

PACK = "site"
ADMINISTRATOR = "admin"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of one-time passwords: nothing that is misread."""


class Present(ValueError):  # noqa: N818 - the condition is the name
    """数据目录里已有站点，建站不会覆盖它。请把 FENGSUI_DATA 指向一个空目录。[C020]"""


SETTINGS = """\
# 站点设置。改后重启 fengsui serve 生效；写错的键会拒绝启动并指出是哪一个。
# 密码不写在这里：网关的密码放 keys/gateway-<名称>.toml（chmod 600）。

# 数据包：本站的条款、单位、区域。./site 在随带的 {pack} 之上，只写与它不同的部分。
pack = "./{folder}"

# 网页监听的地址和端口。前面应有 HTTPS 反向代理（nginx），见管理员手册。
host = "127.0.0.1"
port = 8080

# 反向代理的地址，只有它说的来源和 https 才算数；不在本机时改为它的地址，多个用逗号分开。
proxy = "127.0.0.1"

# 短信中链接的公网地址，不带末尾斜杠，例如 "https://yj.example.gov.cn"。不设则短信不带链接。
address = ""

# 气象台值班室电话，显示在手机页上供一键拨打；不设则不显示。
telephone = ""

# 数据库：空 = 数据目录下的 SQLite；或 "postgresql://用户@主机/库名"（密码建议用环境变量 FENGSUI_DATABASE 给出全址）。
database = {database}

# 网关：一段一个，可有多段。accepts 写明哪类信息可以从它出去：actual 实战、exercise 演练、test 模拟。
# 各类网关的设置项见 docs/reference.md，也可在“网关”页面填写。
# [[gateway]]
# name = "sms"
# kind = "sms_smpp"
# accepts = ["actual"]
# [gateway.settings]
# host = "10.0.0.5"
# port = "2775"
# system_id = "fengsui"
# source = "1069xxxxxxxx"

# 收报来源：省、市、邻区的预警从哪里来，一段一个。url 按 every 秒轮询（只读这一个网址，不跟随改道，https 必须校验证书）；
# folder 是监视的文件夹，收下的移到其中的 done，不是报文的移到 refused。trusted = true 表示这条通道本身可信，
# 未签名的报文也据以通知和开立职责；否则只在值班台显示。受信的签名证书（*.pem）放数据目录的 trust 文件夹。
# silent：多少小时没有新报文就报警，0 为不报。
# [[feed]]
# name = "province"
# url = "https://yj.example.gov.cn/cap/atom.xml"
# every = 60
# trusted = false
# silent = 0
# [[feed]]
# name = "folder"
# folder = "incoming"
"""

PACK_FILE = """\
# 本站数据包：只写与 {pack} 不同的部分，其余照用。
# 例：units.toml 中写一个同名单位即整段替换它；texts.toml、rights.toml、almanac.toml 整个文件替换。
# 每次改动把 version 加一，台账从此记下新版本；改后执行 fengsui check。
id = "{folder}"
version = "1"
extends = "{pack}"
release = "{release}"
"""


def write(data: Path, pack: str, database: str) -> None:
    """Make the files of a new place. Raises Present for one that is there, PackError for a pack that is not."""
    if any((data / name).exists() for name in (site.FILE, PACK, "keys", "fengsui.sqlite3")):
        raise Present(Present.__doc__)
    base = packs.load(pack)  # says what is wrong before anything is written
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)
    (data / PACK).mkdir()
    head = PACK_FILE.format(pack=base.id, folder=PACK, release="0.1.0")
    (data / PACK / "pack.toml").write_text(head, encoding="utf-8")
    text = SETTINGS.format(pack=pack, folder=PACK, database=f'"{database}"')
    (data / site.FILE).write_text(text, encoding="utf-8")
    (data / site.FILE).chmod(0o600)
    packs.load(data / PACK)


def administrator() -> str:
    """The first account; its one-time password, "" if there are accounts already. Needs Django configured."""
    from fengsui.store.accounts import Account  # noqa: PLC0415 - tables need Django configured, which needs a place
    from fengsui.web import guard  # noqa: PLC0415

    if Account.objects.exists():
        return ""
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(3))
    account = Account(username=ADMINISTRATOR, name="管理员", role="administrator")
    guard.set_password(account, password, must_change=True)
    return password
