"""手机页样 Phone page as HTML: 360 px wide, big buttons, no script, no image, one answer of a few thousand bytes.

Rendered once for everybody who sees the same (``phone.View`` is the key); the token is filled in afterwards. The style
is allowed by its digest, so that nothing else inline can run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape

from fengsui.core.series import word
from fengsui.web.phone import MEANS, STOPS, Decide, Relay, Step, View

PLACE = "\0token\0"
"""Where a rendered page takes its token: nothing else on a page can look like it."""
RENDERED = 512
"""Different pages kept."""

STYLE = (
    "*{box-sizing:border-box}body{margin:0;font:17px/1.6 'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif;"
    "color:#101820;background:#eceff3}main,header>div{max-width:560px;margin:0 auto}main{padding:10px}"
    "header{padding:12px 14px;color:#fff;background:#17375e}header>div{display:flex;align-items:center;gap:14px}"
    "header.red{background:#c8000f}header.orange{background:#f08a00;color:#000}header.yellow{background:#f5c900;color:#000}"
    "header.blue{background:#1e46c8}h1{font-size:25px;line-height:1.25;margin:0}header p{margin:2px 0 0;font-size:16px}"
    ".sign{flex:none;width:98px;border:3px double currentColor;border-radius:6px;text-align:center;padding:3px 2px;font-weight:700;line-height:1.3}"
    ".sign b{display:block;font-size:22px;letter-spacing:2px}.sign.long b{font-size:15px;letter-spacing:0}.sign span{display:block;font-size:10px;border-top:1px solid;overflow:hidden;text-transform:uppercase}"
    "form>button:first-child,.small+form>button,section>.button:first-child{margin-top:0}section{background:#fff;border:1px solid #b9c2cd;border-radius:8px;padding:12px 14px;margin:0 0 10px}"
    "h2{font-size:19px;line-height:1.35;margin:0 0 8px;display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 10px}h2 em{font-style:normal;font-size:17px;font-weight:400}h2 em.late{color:#a00d0d;font-weight:700}"
    "p{margin:0 0 8px}dl{margin:0;display:grid;grid-template-columns:3.2em 1fr;gap:4px 8px}dt{color:#445}dd{margin:0}"
    "ol{margin:0;padding-left:1.4em}li{margin:0 0 6px}.now{border:2px solid #101820}"
    ".done{background:#e1f3e7;border:1px solid #15703c;border-radius:6px;color:#0c5229;font-weight:700;padding:10px 12px;margin:0}"
    ".wrong{background:#fde4e2;border:2px solid #a00d0d;border-radius:6px;padding:10px 12px;color:#7a0909;font-weight:700}"
    ".drill{background:#fff3c4;border:2px dashed #8a6300;padding:6px 12px;margin:0 0 10px;border-radius:6px;font-weight:700}"
    "button,.button{display:block;width:100%;min-height:56px;font:inherit;font-weight:700;font-size:20px;line-height:1.2;padding:12px;margin:10px 0 0;border-radius:8px;"
    "border:2px solid #0f5f31;background:#136c39;color:#fff;text-align:center;text-decoration:none}"
    "button.plain,.button{border-color:#123f77;background:#fff;color:#123f77;font-size:18px}"
    ".grid{display:grid;grid-template-columns:1fr 1fr;gap:8px;margin:0 0 10px}"
    ".box{display:flex;align-items:center;min-height:48px;border:2px solid #8b97a5;border-radius:8px;padding:4px 10px;min-width:0;overflow-wrap:anywhere;line-height:1.3}"
    ".box input{flex:none;width:22px;height:22px;margin:0 10px 0 0}.box input:checked+span{font-weight:700;text-decoration:underline}"
    "label.line{display:block;margin:0 0 10px}input[type=file],input.text,textarea{display:block;width:100%;min-height:48px;font:inherit;padding:8px;margin:4px 0 0;border:2px solid #8b97a5;border-radius:8px;background:#fff;color:inherit}"
    "textarea{min-height:84px}fieldset{border:0;margin:0 0 6px;padding:0;min-width:0}legend{padding:0;margin:0 0 6px}"
    "details{margin:0 0 10px}summary{min-height:48px;padding:10px 0;font-weight:700}.small{font-size:15px;color:#3c4856}"
    "a{color:#123f77}:focus-visible{outline:4px solid #f2a900;outline-offset:1px}.tail{text-align:center;padding:4px 0 24px}"
)  # fmt: skip

POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SHORT = {"red": "红", "orange": "橙", "yellow": "黄", "blue": "蓝"}


class Tried(dict[str, tuple[str, ...]]):
    """What somebody had filled in when he was refused: field → values; ``step`` and ``wrong`` say where and why."""

    step = ""
    wrong = ""


def page(view: View, token: str, tried: Tried | None = None) -> str:
    """The whole page. tried: what was refused, shown where it was tried, with its input kept."""
    return (_rendered(view) if tried is None else _render(view, tried)).replace(PLACE, token)


@lru_cache(maxsize=RENDERED)
def _rendered(view: View) -> str:
    return _render(view, Tried())


def plain(title: str, text: str) -> str:
    """A page that says one thing."""
    return frame(
        title,
        f"<header><div><h1>{escape(title)}</h1></div></header>",
        f"<section><p>{escape(text)}</p></section>",
    )


def frame(title: str, header: str, body: str) -> str:
    """What every page has."""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{header}<main>{body}</main></body></html>"
    )


def _render(view: View, tried: Tried) -> str:
    body = [_drill(view), _warning(view)]
    if not view.over:
        body += [_received(view), _guide(view)]
    if view.relay:
        body.append(_relay(view.relay, view.version, tried))
    body += [_decide(d, view.version, tried) for d in view.decide]
    if view.missing:
        body.append(_missing(view))
    body.append(_tail(view, tried))
    if tried.wrong and not any('role="alert"' in part for part in body):
        body.insert(0, _wrong(tried, tried.step))  # the step it belongs to is not offered any more
    return frame(view.title, _header(view), "".join(body))


def _header(view: View) -> str:
    long = " long" if len(view.hazard) > 3 else ""
    look = "" if view.over else view.level
    return (
        f'<header class="{look}"><div><p class="sign{long}" aria-hidden="true"><b>{escape(view.hazard)}</b>'
        f"<span>{SHORT[view.level]} {escape(view.english)}</span></p>"
        f"<div><h1>{escape(view.title)}</h1><p>{escape(view.issuer)}</p><p>{view.issued} {'解除' if view.over else '发布'}</p></div></div></header>"
    )


def _drill(view: View) -> str:
    return f'<p class="drill">{word(view.series)}：不是真实预警</p>' if word(view.series) else ""


def _warning(view: View) -> str:
    areas = "；".join(f"{places}（{level}）" for level, places in view.areas)
    text = f"<p><b>{escape(view.text)}</b></p>" if view.text else ""
    until = f"<dt>有效至</dt><dd>{view.expires}</dd>" if view.expires else ""
    return (
        f"<section>{text}<dl><dt>区域</dt><dd>{escape(areas)}</dd>{until}"
        f"<dt>发给</dt><dd>{escape(view.who)}</dd></dl></section>"
    )


def _guide(view: View) -> str:
    items = "".join(f"<li>{escape(item.rstrip('；。'))}</li>" for item in view.guide)
    return f'<section class="now"><h2>现在要做（按防御指南）</h2><ol>{items}</ol></section>' if items else ""


def _head(number: str, title: str, step: Step) -> str:
    left = ""
    if step.until:
        look = ' class="late"' if step.late else ""
        words = f"！{step.until} 已到，{step.left}" if step.late else f"{step.until} 前，{step.left}"
        left = f"<em{look}>{words}</em>"
    return f"<h2><span>{number} {title}</span>{left}</h2>"


def _done(text: str) -> str:
    return f'<p class="done">✓ {escape(text)}</p>'


def _wrong(tried: Tried, step: str) -> str:
    return f'<p class="wrong" role="alert">！{escape(tried.wrong)}</p>' if tried.step == step else ""


def _received(view: View) -> str:
    step = view.received
    if step.done:
        return f"<section>{_head('①', '收到', step)}{_done(f'{step.done}　{view.who}')}</section>"
    form = f'<form method="post" action="/a/{PLACE}?v={view.version}"><button>收到</button></form>'
    return f"<section>{_head('①', '请确认收到', step)}{form}</section>"


def _boxes(
    name: str, choices: Iterable[tuple[str, str]], chosen: Iterable[str], kind: str = "checkbox"
) -> str:
    ticked = set(chosen)
    return "".join(
        f'<label class="box"><input type="{kind}" name="{name}" value="{escape(value)}"'
        f"{' checked' if value in ticked else ''}><span>{escape(label)}</span></label>"
        for value, label in choices
    )


def _relay(relay: Relay, version: int, tried: Tried) -> str:
    if relay.step.done:
        return f"<section>{_head('②', '再传播', relay.step)}{_done(relay.step.done)}</section>"
    kept = tried if tried.step == "relay" else Tried()
    means = _boxes("means", MEANS.items(), kept.get("means", ()))
    return (
        f'<section id="relay">{_head("②", "再传播", relay.step)}{_wrong(tried, "relay")}'
        f'<form method="post" action="/a/{PLACE}/relay#relay" enctype="multipart/form-data">'
        f'<input type="hidden" name="version" value="{version}">'
        f'<fieldset><legend>用了哪些方式？可多选</legend><div class="grid">{means}</div></fieldset>{_places(relay, kept)}'
        '<label class="line">照片（可不传，最多 4 张，每张 5 MB 以内）'
        '<input type="file" name="photo" accept="image/*" capture="environment" multiple></label>'
        "<button>已再传播</button></form></section>"
    )


def _places(relay: Relay, kept: Mapping[str, tuple[str, ...]]) -> str:
    """The villages: all of them with one box, or one by one below it."""
    places, chosen = relay.villages, kept.get("village", ())
    if not places:
        return ""
    if len(places) == 1:
        return f'<input type="hidden" name="village" value="{places[0][0]}"><p>传播到：{escape(places[0][1])}</p>'
    every = _boxes("village", [("all", f"全部 {len(places)} 个村")], chosen)
    opened = " open" if any(c != "all" for c in chosen) else ""
    return (
        f"<fieldset><legend>传播到哪些村？</legend><div>{every}</div><details{opened}><summary>只选部分村</summary>"
        f'<div class="grid">{_boxes("village", places, chosen)}</div></details></fieldset>'
    )


def _decide(decide: Decide, version: int, tried: Tried) -> str:
    """③: the decision in force, what may be decided instead, and lifting; what is owed now stands open."""
    done, step = decide.step.done, f"decide/{decide.unit}"
    mine = tried if tried.step == step else Tried()
    lifts = mine.get("do") == ("lift",)
    parts = [_done(done)] if done else []
    if decide.stopped:
        form = _lift(decide, version, mine if lifts else Tried())
        parts.append(form if decide.resume else _folded("安全检查后恢复", form, opened=lifts))
    if decide.stops:
        form = _decision(decide, version, Tried() if lifts else mine)
        other = _folded("情况有变，另作决定", form, opened=bool(mine) and not lifts)
        parts.insert(1 if done and not decide.resume else len(parts), other if done else form)
    head = _head("③", f"{escape(decide.name)}停工停业停课", decide.step)
    return f'<section id="decide">{head}{_wrong(tried, step)}{"".join(parts)}</section>'


def _folded(title: str, body: str, *, opened: bool) -> str:
    return f"<details{' open' if opened else ''}><summary>{title}</summary>{body}</details>"


def _decision(decide: Decide, version: int, kept: Tried) -> str:
    stops = _boxes("stop", [(s, STOPS[s]) for s in decide.stops] + [("none", "不停")], kept.get("stop", ()))
    respond = (
        _boxes("respond", [("yes", "极端天气应对响应机制已启动")], kept.get("respond", ()))
        if decide.respond
        else ""
    )
    return _form(
        decide, version,
        f'<fieldset><legend>选一项或几项；视情况也可不停</legend><div class="grid">{stops}</div>{respond}</fieldset>'
        f'<label class="line">理由（不停必须写明）{_reason(kept)}</label>',
        "提交决定",
    )  # fmt: skip


def _lift(decide: Decide, version: int, kept: Tried) -> str:
    return _form(
        decide, version,
        '<input type="hidden" name="do" value="lift"><p>安全检查合格后再恢复。</p>'
        f'<label class="line">安全检查情况（可不填）{_reason(kept)}</label>',
        "复工复业复课",
    )  # fmt: skip


def _reason(kept: Tried) -> str:
    return f'<textarea name="reason" maxlength="200">{escape("".join(kept.get("reason", ())))}</textarea>'


def _form(decide: Decide, version: int, fields: str, button: str) -> str:
    """A decision for a unit: it names the one it answers, and needs the PIN of whoever makes it."""
    return (
        f'<form method="post" action="/a/{PLACE}/decide#decide"><input type="hidden" name="unit" value="{escape(decide.unit)}">'
        f'<input type="hidden" name="replaces" value="{decide.replaces}"><input type="hidden" name="version" value="{version}">{fields}'
        '<label class="line">您的决定口令（4–6 位数字）<input class="text" type="password" name="pin" inputmode="numeric"'
        ' autocomplete="off" maxlength="6"></label>'
        '<p class="small">口令只有本人知道；链接转给别人也不能代您决定。没有口令：登录系统在“我的账号”设置，或请联络员代设。</p>'
        f"<button>{button}</button></form>"
    )


def _missing(view: View) -> str:
    rest = f"等，另有 {view.more} 处" if view.more else ""
    return f"<section><h2>尚未签收的村</h2><p>{escape('、'.join(view.missing))}{rest}</p></section>"


def _tail(view: View, tried: Tried) -> str:
    sent = f'<p class="small">链接已于 {view.resent} 再发。</p>' if view.resent else ""
    call = (
        f'<a class="button" href="tel:{escape(view.telephone)}">打电话给气象台值班室</a>'
        if view.telephone
        else ""
    )
    refresh = f'<a class="button" href="/a/{PLACE}">刷新</a>'
    if view.over:
        return f'<section id="again">{refresh}{call}</section>'
    return (
        f'<section id="again">{_wrong(tried, "again")}{sent}<form method="post" action="/a/{PLACE}/again#again"><button class="plain">再发一次链接</button></form>'
        f"{refresh}{call}</section>"
        '<p class="small tail">也可回复短信：1 收到，2 已再传播，3 需支援，0 非本人。</p>'
    )
