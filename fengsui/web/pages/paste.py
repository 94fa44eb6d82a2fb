"""粘贴核对 Paste: a text from another platform is pasted, read, compared with what is in force, and taken over with a click."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from fengsui.web import pasted


@require_http_methods(["GET", "POST"])
def paste(request: HttpRequest) -> HttpResponse:
    """Read what was pasted; nothing is stored."""
    text = request.POST.get("text", "").strip()[: pasted.LONGEST]
    found = pasted.check(text) if text else None
    return render(request, "issue_paste.html", {"text": text, "found": found})
