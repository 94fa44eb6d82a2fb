"""手机办理 Phone: steps ② and ③ of the page behind a link, and sending the link again. No login: the token is the key.

Every form is considered under an id made of token, step and version, so that pressing twice counts once. GET shows the
page and changes nothing, whichever address it is.

Of a photo the picture alone is stored (``formats.photos``): position, device and time that a phone writes beside it end
here. The digest that a fact names is that of the stored bytes: it proves what was received and kept, and is not the
digest of the file on the phone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from fengsui.core.facts import Fact, Reported, SuspensionDecided
from fengsui.core.state import State
from fengsui.flow import links
from fengsui.flow.inputs import Answer
from fengsui.formats import photos
from fengsui.store import pins, tokens
from fengsui.store.archive import Paper
from fengsui.web import here, phone, phone_html
from fengsui.web.hot import DEAD
from fengsui.web.phone_html import Tried

PHOTOS = 4
PHOTO = 5_000_000
"""Most bytes of a photo."""
BODY = PHOTOS * PHOTO + 100_000
"""Most bytes of a form."""
TWICE = 10_000_000
"""µs within which a second press is the same press."""
REASON = 200
"""Most characters of a reason."""


class Holder(NamedTuple):
    """Whose link it is, the token, the warning's stream as it stands, and the version that he saw."""

    person: str
    token: str
    state: State
    version: int

    def form(self, *words: object) -> str:
        """The id under which a step counts once."""
        return "/".join(map(str, ("link", tokens.mark(self.token), *words, self.version)))


class Passed(msgspec.Struct, frozen=True):
    """再传播单 What a relay's paper says: means, areas of villages, digests of photos."""

    means: tuple[str, ...]
    villages: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()


class Wrong(ValueError):  # noqa: N818 - the condition is the name
    """所填内容有误，没有记录。[W185]"""


Step = Callable[[HttpRequest, Holder], Answer]


def _page(name: str, step: Step) -> Callable[[HttpRequest, str], HttpResponse]:
    """A step's page: GET shows, POST does it, then the page as it is now; a refusal stands where it was made."""

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        found = links.known(here.session(), token, here.world())
        if found is None:
            return _answer(phone_html.plain(*DEAD), 404)
        holder = Holder(found[0], token, found[1], found[1].notices.people[found[0]].version)
        if request.method != "POST":
            return _shown(holder)
        if step is not _decide and not holder.state.alert.holds:
            return _answer(phone_html.plain(*DEAD), 404)
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY:
            return _answer(
                phone_html.plain("内容过大", "照片合计过大，没有记录。请少选几张再试。[W183]"), 413
            )
        holder = holder._replace(version=min(holder.version, _number(request, "version", holder.version)))
        try:
            said = step(request, holder)
        except Wrong as wrong:
            return _refused(request, holder, name, str(wrong))
        if not said.ok:
            return _refused(
                request, holder, name, f"{said.text}[{said.code}]" if "[" not in said.text else said.text
            )
        return HttpResponseRedirect(f"/a/{token}#{name}", status=303)

    return answer


def _number(request: HttpRequest, field: str, otherwise: int = 0) -> int:
    """A hidden number of a form."""
    value = request.POST.get(field, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else otherwise


def _shown(holder: Holder, tried: Tried | None = None, status: int = 200) -> HttpResponse:
    text = phone.text(holder.state.alert.paper)
    view = phone.view(
        holder.person, holder.state, here.world(), here.now(), text=text, telephone=here.telephone()
    )
    return _answer(phone_html.page(view, holder.token, tried), status)


def _refused(request: HttpRequest, holder: Holder, name: str, text: str) -> HttpResponse:
    """The same page with the reason beside the step and what was filled in; never the PIN."""
    tried = Tried({key: tuple(map(str, values)) for key, values in request.POST.lists() if key != "pin"})
    tried.step = f"decide/{request.POST.get('unit', '')}" if name == "decide" else name
    tried.wrong = text
    return _shown(holder, tried, 422)


def _answer(page: str, status: int) -> HttpResponse:
    answer = HttpResponse(page, status=status)
    answer.headers["Content-Security-Policy"] = phone_html.POLICY
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


# ── ② 再传播 ──────────────────────────────────────────────────────────────────


def _relay(request: HttpRequest, holder: Holder) -> Answer:
    means = tuple(m for m in phone.MEANS if m in request.POST.getlist("means"))
    if not means:
        raise Wrong("请选择用了哪些方式，至少一种。[W171]")
    facts = phone.reports(holder.person, holder.state, here.world(), here.now(), holder.version)
    photos = _photos(request)
    passed = Passed(means, _villages(request, holder), tuple(p.digest for p in photos))
    paper = Paper("relay", msgspec.json.encode(passed, order="deterministic"))
    return _recorded(
        [msgspec.structs.replace(f, paper=paper.digest) for f in facts], holder, "relay", (paper, *photos)
    )


def _villages(request: HttpRequest, holder: Holder) -> tuple[str, ...]:
    """The areas chosen, among those he may choose; none where he has no villages."""
    view = phone.view(holder.person, holder.state, here.world(), here.now())
    offered = tuple(area for area, _ in view.relay.villages) if view.relay else ()
    wanted = request.POST.getlist("village")
    chosen = offered if "all" in wanted else tuple(a for a in offered if a in wanted)
    if offered and not chosen:
        raise Wrong("请选择传播到哪些村；全部都到了请勾“全部”。[W172]")
    return chosen


def _photos(request: HttpRequest) -> tuple[Paper, ...]:
    files = [f for f in request.FILES.getlist("photo") if f.size]
    if len(files) > PHOTOS:
        raise Wrong(f"照片最多 {PHOTOS} 张，现选了 {len(files)} 张。请重新选择。[W175]")
    return tuple(map(_photo, files))


def _photo(file: UploadedFile[bytes]) -> Paper:
    """The picture of a photo as a paper, whatever its name and declared kind say; nothing that stood beside it."""
    if (file.size or 0) > PHOTO:
        raise Wrong(f"照片“{(file.name or '')[:20]}”超过 5 MB。请用较小的尺寸重拍，再重新选择照片。[W173]")
    try:
        return Paper("photo", photos.bare(file.read()))
    except photos.NotAPhoto as error:
        raise Wrong(f"“{(file.name or '')[:20]}”{error}") from error


# ── ③ 停工停业停课 ────────────────────────────────────────────────────────────


def _decide(request: HttpRequest, holder: Holder) -> Answer:
    unit, world = request.POST.get("unit", ""), here.world()
    view = phone.view(holder.person, holder.state, world, here.now())
    offer = next((d for d in view.decide if d.unit == unit), None)
    if offer is None:
        raise Wrong("您的岗位不能替这个单位作决定，或该项已取消。请刷新页面。[W180]")
    lifted = request.POST.get("do") == "lift"
    stops, reason = ((), _reason(request)) if lifted else _chosen(request, offer)
    _own(request, holder)
    papers = (Paper("reason", reason.encode()),) if reason else ()
    fact = SuspensionDecided(
        holder.state.stream, here.now(), unit, holder.person, stops, papers[0].digest if papers else "",
        lifted=lifted, replaces=_number(request, "replaces"),
    )  # fmt: skip
    words = "lift" if lifted else "-".join(stops) or "none"
    said = _recorded([fact], holder, f"decide/{unit}/{fact.replaces}/{words}", papers)
    if said.ok and offer.respond and request.POST.get("respond") == "yes":
        report = Reported(
            holder.state.stream, here.now(), "extreme_weather_response", unit, holder.person, holder.version
        )
        return _recorded([report], holder, f"respond/{unit}")
    return said


def _chosen(request: HttpRequest, offer: phone.Decide) -> tuple[tuple[str, ...], str]:
    """What stops, and why; not to stop needs a reason and excludes everything else."""
    if not offer.stops:
        raise Wrong("预警已解除或降级，不能再作停工停业停课决定；已停的可以恢复。[W190]")
    wanted, reason = request.POST.getlist("stop"), _reason(request)
    stops = tuple(s for s in offer.stops if s in wanted)
    if stops and "none" in wanted:
        raise Wrong("“不停”不能与其他选项同时选。请只保留一种。[W185]")
    if not stops and "none" not in wanted:
        raise Wrong("请选择停工、停业、停课中的一项或几项，或选“不停”。[W176]")
    if not stops and not reason:
        raise Wrong("不停须写明理由。[W184]")
    return stops, reason


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:REASON]


def _own(request: HttpRequest, holder: Holder) -> None:
    """Only who knows the person's PIN decides through his link."""
    match pins.check(holder.person, request.POST.get("pin", ""), here.now()):
        case "none":
            raise Wrong(
                "您还没有决定口令。请登录系统在“我的账号”设置，或请联络员代设；也可请气象台值班室登记您的决定。[W179]"
            )
        case "locked":
            raise Wrong("口令连续错 5 次，已锁定 15 分钟。请稍后再试，或请联络员重设口令。[W178]")
        case "wrong":
            raise Wrong(f"口令不对，还可试 {pins.left(holder.person)} 次。[W177]")
        case "right":
            return


# ── 再发一次链接 ──────────────────────────────────────────────────────────────


def _again(request: HttpRequest, holder: Holder) -> Answer:
    del request
    now, at = here.now(), phone.resent(holder.person, holder.state)
    if at and now - at < TWICE:
        return Answer("", already=True)
    if at and now - at < phone.PAUSE:
        raise Wrong("刚刚已再发，请查看短信；10 分钟后可再要一次。[W181]")
    fact = links.again(holder.person, holder.state, here.world(), now, phone.AGAIN)
    if fact is None:
        raise Wrong("这条预警的链接已再发 3 次，或您没有可用的手机号码。请联系本单位联络员。[W182]")
    return _recorded([fact], holder, fact.key)


def _recorded(facts: Sequence[Fact], holder: Holder, step: str, papers: tuple[Paper, ...] = ()) -> Answer:  # fmt: skip
    """Record each; the first refusal, else the last answer."""
    said = Answer("", 0, "W180", "没有可以记录的事项，请刷新页面。")
    for number, fact in enumerate(facts):
        said = here.record(fact, form=holder.form(step, number), papers=papers)
        if not said.ok:
            return said
    return said


relay = _page("relay", _relay)
decide = _page("decide", _decide)
again = _page("again", _again)
