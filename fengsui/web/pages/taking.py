"""接手 Taking: the button by which a draft of another desk becomes one's own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from fengsui.web import takeover, written
from fengsui.web.pages.login import account_of

GONE = "这份草稿已不在：对方刚刚改过、提交了或已由别人接手。请回到“预警签发”再看。[W227]"


@require_POST
def take(request: HttpRequest, draft: int) -> HttpResponse:
    """Take over an open draft and go on writing it."""
    account = account_of(request)
    row = takeover.take(account, draft) if written.may_write(account) else None
    if row is None:
        return render(request, "trouble.html", {"title": "没有接手", "text": GONE}, status=409)
    found = written.load(row)
    answer = HttpResponseRedirect(
        reverse(f"issue_{found.page}", args=[found.stream]) if found.page else reverse("issue")
    )
    answer.status_code = 303
    return answer
