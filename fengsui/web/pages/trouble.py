"""出错 Trouble: pages that say what is wrong and what to do, never how the program looks inside."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

INSECURE = (
    "本站的公网地址是 https，浏览器不会在 http 下保存登录。请改用 https:// 开头的地址打开；"
    "已是 https 仍如此，请管理员检查反向代理是否传了 X-Forwarded-Proto。[W034]"
)


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such page."""
    del exception
    return _said(request, 404, "没有这个页面", "请从左侧菜单重新进入；若由链接而来，该项可能已经归档。[W031]")


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A form that cannot be read: cut off, too large, or put together wrongly."""
    del exception
    return _said(
        request, 400, "提交的内容无法读取", "内容不完整或过大，没有记录。请返回上一页核对后重新提交。[W037]"
    )


def button_only(request: HttpRequest) -> HttpResponse:
    """An address that only a button may call was opened by itself, as after a reload."""
    return _said(
        request, 405, "这里不能直接打开", "这一步要由页面上的按钮办理，现在没有办理。请从菜单重新进入。[W035]"
    )


def broken(request: HttpRequest) -> HttpResponse:
    """Something of ours failed: perhaps what the frame is made of, so this page has none."""
    del request
    text = "这一步没有完成，错误已记入日志。请刷新重试；若仍出现，请联系管理员。[W032]"
    return HttpResponse(render_to_string("trouble.html", {"title": "程序出错", "text": text}), status=500)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its own token: expired, or not from here."""
    del reason
    if settings.SESSION_COOKIE_SECURE and not request.is_secure():
        return _said(request, 403, "请用 https 打开", INSECURE)
    return _said(
        request, 403, "页面已过期", "为防止冒名提交，表单须从本系统打开。请返回上一页刷新后重新提交。[W033]"
    )


def _said(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "trouble.html", {"title": title, "text": text}, status=status)
