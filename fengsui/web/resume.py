"""续办 Resume: a form that was sent when its login had ended — kept in the browser, offered again after the login.

Nothing is stored and nothing is sent by itself: the login page carries what was typed, and a person presses again. A
form that holds a secret is not kept; it is opened anew.
"""

from __future__ import annotations

import msgspec
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from fengsui.web import rights

SECRET = frozenset({"password", "pin", "pin_again", "code", "old", "new", "again"})
"""Fields that are never carried on; ``username`` stands on the login page itself."""
LARGEST = 200_000
"""Characters of a form that is carried on; the longest report is a fraction of it."""
EXPIRED = "登录已过期，刚才提交的内容还没有记录。请重新登录，登录后可照原样提交。[W036]"


class Kept(msgspec.Struct, frozen=True):
    """Where a form was sent and what it said; files cannot be kept, only that there were some."""

    address: str
    fields: tuple[tuple[str, str], ...]
    files: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """What a person typed, as far as that can be told: words, not tokens."""
        return tuple(value for _, value in self.fields if not value.isascii())


def kept(request: HttpRequest) -> Kept | None:
    """What a form says; None where there is nothing to carry on, or a secret."""
    fields = tuple((k, str(v)) for k, vs in request.POST.lists() if k != "csrfmiddlewaretoken" for v in vs)
    if not fields or SECRET & request.POST.keys() or sum(len(k) + len(v) for k, v in fields) > LARGEST:
        return None
    return Kept(request.path, fields, bool(request.FILES))


def dump(form: Kept) -> str:
    """As the login page carries it."""
    return msgspec.json.encode(form).decode()


def load(text: str, role: str) -> Kept | None:
    """What the login page carried, if it is a form of a page that opens for the role; else None."""
    try:
        form = msgspec.json.decode(text, type=Kept)
        page = resolve(form.address).url_name or ""
    except (msgspec.DecodeError, Resolver404):
        return None
    return form if rights.may(role, page) else None
