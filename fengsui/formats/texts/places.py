"""地名 Places of a text: lists of names parted and trimmed, found by what stands around them; no gazetteer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from fengsui.formats.texts import times
from fengsui.formats.texts.cleaned import Clean, Span
from fengsui.formats.texts.sentences import clauses

HAN = "[一-鿿]"
SIDE = "(?:[东西南北中]{1,2}|偏[东西南北]|沿[江海河湖山黄]|较?[高低]海拔|浅)"
LAND = "(?:部|山区|平原|丘陵|地区|区域|山地|盆地|平川|一带|海域|海面|县区|乡镇|街镇|镇街|半坡|大部)"
ADJUNCT = f"(?:大部分?|{SIDE}|{LAND}|周边|周围|附近|两侧|局部)"
BELONGS = re.compile(f"{ADJUNCT}*+")
"""What is no name of its own: 和 before it parts nothing, 忻州西部和东部山区 is one."""

NO_NAME = re.compile(f"(?:大?部分.*|{ADJUNCT}|各[市县区乡镇]+|城区|市区|所有.*|其余.*)*+")
"""What 我市 stays before; before a proper name it falls away."""

NOTE = re.compile("（[^（）]{1,24}）")
DEIXIS = re.compile("(?:我|本)[省市县区旗州盟镇乡](?=.)")
UNIT_WORD = re.compile("(?:乡|镇|街道|街道办|县|市|区|旗|团场)(?:（[^（）]*）)?")
ADMIN = re.compile(
    f"[省市县区州盟旗乡镇村]$|街道(?:办事处)?$|地区$|[农林牧]场$|部$|山区$|流域$|全境|大部|一带$|海域$|海面$|[市县区]）$|{SIDE}$|^(?:我|本|全|各)[省市县区旗州盟]"
)
PARTS = re.compile("、|，|；|…+|以及|和|及|与")
TOWN = re.compile(f"(?=({HAN}{{2}})(?:[省市县区旗州盟]|气象|地区))")
REFERS = re.compile("^(?:上述|上列|以上|预警|该|此|这些|前述|相关|其他|其它|局部|个别|部分|少数|大部分?)(?:的)?(?:地区|区域|地方|范围|县区|乡镇|地段|路段)?(?:内|中|的)?$")
"""Areas named by reference: no entry."""

TRIM_END = re.compile(
    "(?:等(?=地|\\d|[一二三四五六七八九十]|部分|局部|大部|乡|镇|街道|县|市|区|$).*|(?:境内|之间|附近)?的?(?:局部|(?<!大)部分|个别)(?:地区|地方|区域|地段|时段|乡镇?|镇街?|镇村|县区|区县|山区|县|镇|街道|路段)?(?:（[^（）]*）)?"
    "|等|的|内|为|是|达到?|局地|局部|(?<!大)部分|个别|(?<=[一-鿿]{2})\\d+个[市县区旗乡镇街].*)$"
)
TRIM_START = re.compile("^(?:在|于|对|为|是|：|其中|包括|主要为|主要在|主要|以及|尤其是?|特别是|含|涉及|、|，)+")
STOP = re.compile(
    "天气|旱情|中小|瞬[时间]|降水|降雨|降雪|雨量|雪量|雷电|雷雨|大风|阵风|风力|气温|空气|云团|云系|云带|回波|系统|影响|强度|过程|期间|时段|累计|防范|防御|防汛"
    "|注意|工作|部门|单位|人员|公众|灾害|风险|能见度|可能|预警|信号|发布|未来|目前|今天|明天|夜间|白天|小时|毫米|不|今年|首个|本月|最新|滑坡|泥石流|积涝|内涝"
    "|交通|出行|生产|农业|作物|设施|措施|实施|应急|演练|受|较(?!高海拔|低海拔)|达到|出现|发生|持续|暴雨|暴雪|冰雹|寒潮|降温|高温|霜冻|沙尘|大雾|浓雾|霾|道路结冰|解除|升级|降级|继续|已|(?<!所)有|将(?!乐|军)|仍|这次|此次|本次|范围|级别|等级|情况|信息|指挥|响应|请|时效|有效"
)
LEAD = re.compile(
    "(?:预计|预报|预测|预期|预估|据|另外|此外|同时|其中|特别是|尤其是|主要|并且|届时|因此|以及|或者?|并且?|且|期间|从(?!化|江)|自(?!贡|流)|在|对|，|、|：|-|\0"
    f"|受[^，。；]{{1,40}}?影响[，下]?|{times.NOW}{times.NUMBER}?(?:[-至到]{times.NUMBER})?个?(?:小时|天|日|周)?(?:之内|以内|内|里)?"
    f"|{times.NUMBER}个?小时(?:之内|以内|内)|(?:今天|今日|今晚|今夜|今晨|明天|明日|明晨|明晚|后天|当前|目前|现在|即日|本周|周末|近日|近期|最近|当日|次日|上半周)"
    f"|{times.LONG_PART}|至|到|起|开始|前后|以前|之前|左右|之间|前(?!进|山|郭|旗|海))+"
)
PREDICATE = (
    "将(?!乐|军)|可能|可(?=达|出现|有|造成|致|发生)|会(?=有|出现|发生|达|受)|仍|有(?!林|庆)|无(?=明显|降|雷)|多(?=\\d|大雾|阵|雷|云)|出现|发生|受|处于|降(?=雨|雪|水|温|幅|至)|下降|上升|升[至高]|雨(?=量|势|强|雪)|累计|累积"
    "|最[大高低]|日(?=最|平均)|过程|平均|阵风|风力|瞬[时间]|气温|地面|地表|能见度|大雾|浓雾|团雾|暴雨|大暴雨|大雨|中雨|小雨|大到|中到|雷[电雨暴阵]|冰雹|短时|强降|强对|大风|[东西南北偏]{1,3}(?:大)?风|地质灾害|山洪|森林|火险|污染|道路|路面"
    "|以(?=偏)|为(?=[一二三四1-4ⅠⅡⅢⅣ红橙黄蓝])|达(?=到|\\d)|的|先后|自[东西南北]|均(?=有|将|会|可|出)|依然|继续|持续|存在|具有|转(?=[北南东西偏多阴小中大])|阴(?=有|天|到|转)|晴(?=[天到转])"
    "|沙尘|扬沙|浮尘|寒潮|高温|霜|冻|干旱|较(?!高海拔|低海拔)|凝冻|极?易(?=出现|发生|引)|气象|空气|旱情|中小河流|对流|雨带|云团|城乡|维持|夜间|白天|今[天晚夜日]|明[天日晚]|未来|傍晚|上午|下午|伴|并|降级|升级|\\d|\0|-\\d|局部|局地|雨雪|积雪|结冰|河流|地温"
)
HEIGHT = re.compile("海拔\\d+米?以[上下](?:的)?(?:地区|山区|路段|区域)?|(?<![一-鿿]{2})\\d+个(?:区县|县区|市县|县市|市|县|区|旗|乡镇|街镇|镇街|乡|镇|街道)(?:（[^（）]*）)?")
"""Figures that belong to a name: 海拔1800米以上路段, 19个区县."""
OBJECT = re.compile("(?:影响|波及|袭击|移入|进入|可致|出现在|集中在|主要在|位于|落区[为在：])")
SECOND = re.compile("山洪|地质灾害|滑坡|泥石流|河流|内涝|积涝|渍涝|积水|塌方|次生|塌陷")
OTHERS = re.compile("气象[台局]|发布|联合提醒|启动|应急响应")
"""Clauses of what offices do, not of the weather."""

RISKY = re.compile("山洪|地质|洪|涝|渍")
BESIDE = re.compile("(?:目前|现|将(?!乐|军)|对|把|由|从(?!化|江)|起|了|同时|以及|其中|的|在|、)+")
OFFICE = re.compile("[台局厅站]$|办公室$|指挥部$")
LABEL = re.compile("(?:(?:预警|影响|防御)(?:信号)?(?:区域|范围|地区|乡镇)|(?<=[。，；（])(?:区域|范围|落区))(?:主要)?(?:(?:调整|变更|更新|扩大|修改)(?:为|至|到)|为|是|：|包括)+")


@lru_cache(8)
def _predicate(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(PREDICATE + "|" + "|".join(map(re.escape, names)))


def listed(clean: Clean, start: int, end: int, *, shown: bool = True) -> list[Span] | None:
    """The names of a list of places, trimmed; [] where it only refers to some; None if it is no such list.

    shown: a single bare word is not enough, something must show that it is a place.
    """
    text = clean.text
    found: list[Span] = []
    known = not shown
    for a, b in _pieces(clean, start, end):
        name = _trimmed(text, a, b)
        if name is None:
            continue
        if not _is_name(text[name[0] : name[1]]):
            return None
        found.append(name)
        known = known or name != (a, b) or _shows(text, text[name[0] : name[1]])
    return found if known or len(found) != 1 else None


def _shows(text: str, name: str) -> bool:
    """Whether a word is a place: it says so itself, or the text knows a county or an observatory of that name."""
    if ADMIN.search(name) or NO_NAME.fullmatch(NOTE.sub("", name)):
        return True
    return name[:2] in _towns(text)


@lru_cache(1)
def _towns(text: str) -> frozenset[str]:
    """How the names begin, or end, that the text gives to counties, cities and observatories."""
    return frozenset(m[1] for m in TOWN.finditer(text))


def _is_name(name: str) -> bool:
    bare = HEIGHT.sub("高", NOTE.sub("", name))
    return bool(re.fullmatch(f"{HAN}(?:{HAN}|、){{0,30}}", bare)) and not STOP.search(bare)


def _pieces(clean: Clean, start: int, end: int) -> list[Span]:
    """The list parted at its marks and words; a word parts only where a name begins after it."""
    text = clean.text
    cuts: list[Span] = []
    depth, at = 0, start
    for match in re.finditer("[（）]|" + PARTS.pattern, text[start:end]):
        a, b = start + match.start(), start + match.end()
        if match[0] in "（）":
            depth = max(0, depth + (1 if match[0] == "（" else -1))
        elif depth == 0 and a >= at:
            if match[0][0] in "、，；…" or _parts(text[at:a], text[b:end]):
                cuts.append((at, a))
                at = b
    cuts.append((at, end))
    if len(cuts) == 1 and clean.gaps:
        cuts = _gapped(clean, start, end)
    return _rejoined(text, [(a, b) for a, b in cuts if a < b])


def _parts(left: str, right: str) -> bool:
    """Whether 和, 及, 与 between two words part two names: 和平县 and 忻州西部和东部山区 stay whole."""
    right = PARTS.split(right, maxsplit=1)[0]
    if re.match("除[^外]*$", left):
        return False
    return len(left) > 1 and len(right) > 1 and not BELONGS.fullmatch(_cut(right))


def _cut(name: str) -> str:
    match = TRIM_END.search(name)
    return name[: match.start()] if match and match.start() else name


def _gapped(clean: Clean, start: int, end: int) -> list[Span]:
    """Names parted by blanks alone."""
    marks = [start, *(g for g in sorted(clean.gaps) if start < g < end), end]
    spans = list(zip(marks, marks[1:], strict=False))
    return spans if all(b - a > 1 for a, b in spans) else [(start, end)]


def _rejoined(text: str, pieces: list[Span]) -> list[Span]:
    """所有乡、镇（街道） is one; so is what stands between 除 and 以外."""
    found: list[Span] = []
    for a, b in pieces:
        opened = found and "除" in text[found[-1][0] : found[-1][1]] and "外" not in text[found[-1][0] : found[-1][1]]
        if found and (UNIT_WORD.fullmatch(text, a, b) or opened):
            found[-1] = (found[-1][0], b)
        else:
            found.append((a, b))
    return found


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """A name without the words around it; None where nothing is left, or only a reference."""
    if match := TRIM_START.match(text[start:end]):
        start += match.end()
    for _ in range(3):
        if REFERS.match(text[start:end]):
            return None
        match = TRIM_END.search(text[start:end])
        if not match or match.end() == match.start():
            break
        end = start + match.start()
    if match := DEIXIS.match(text[start:end]):
        if not NO_NAME.fullmatch(HEIGHT.sub("山区", NOTE.sub("", text[start + match.end() : end]))):
            start += match.end()
    return (start, end) if end - start > 1 else None


def labelled(clean: Clean, start: int, end: int) -> list[tuple[int, list[Span]]]:
    """Every list after 预警区域： or the like, with the index of its label."""
    found = []
    at = start
    while label := LABEL.search(clean.text, at, end):
        names: list[Span] = []
        stop = re.search("[。！？]|……", clean.text[label.end() : end])
        last = label.end() + stop.start() if stop else end
        for a, b in clauses(clean.text, label.end(), last, "，；"):
            pieces = listed(clean, a, b, shown=False)
            if pieces is None:
                break
            names += pieces
        found.append((label.start(), names))
        at = label.end()
    return found


def target(clean: Clean, start: int, end: int) -> list[Span]:
    """The places between two indices, right before a signal: 将平山街道、宝口镇暴雨…."""
    if match := BESIDE.match(clean.text, start, end):
        start = match.end()
    if start >= end or OFFICE.search(clean.text[start:end]):
        return []
    return listed(clean, start, end) or []


def expected(clean: Clean, scopes: Iterable[Span], names: tuple[str, ...], hazards: str, *, open_end: bool = False) -> list[Span]:
    """The places where the text expects the weather, in the parts of it that look ahead.

    names: hazard names, with which a predicate may begin; hazards: those of the warning itself, for what follows
    from it (…引发山洪) warns nowhere. open_end: the last clause is cut off by a level, and still counts.
    """
    found: list[Span] = []
    predicate = _predicate(names)
    for start, end in scopes:
        pending: list[Span] = []
        for a, b in clauses(clean.text, start, end):
            if OTHERS.search(clean.text, a, b) or (
                SECOND.search(clean.text, a, b) and not RISKY.search(hazards)
            ):
                pending = []
                continue
            ends, here = _clause(clean, a, b, predicate)
            if here is None:
                pending = []
            elif ends:
                found += pending + here
                pending = []
            else:
                pending += here
        if open_end:
            found += pending
    return found


def _clause(clean: Clean, start: int, end: int, predicate: re.Pattern[str]) -> tuple[bool, list[Span] | None]:
    """Whether a clause says what is expected, and the places it names before that; None where it names no place."""
    text = clean.text
    hidden = times.masked(text[start:end])
    lead = LEAD.match(hidden)
    begin = start + (lead.end() if lead else 0)
    if begin >= end:
        return False, []
    offset = begin - start
    quiet = HEIGHT.sub(lambda m: "高" * len(m[0]), hidden)
    match = predicate.search(quiet, offset)
    if not match:
        return False, listed(clean, begin, end)
    stop = start + match.start()
    places = listed(clean, begin, stop, shown=match[0] not in ("局部", "局地")) if begin < stop else []
    if places:
        return True, places
    objects = _objects(clean, stop, end)
    return True, objects if objects else places


def _objects(clean: Clean, start: int, end: int) -> list[Span]:
    """Places that what comes moves to: 将影响我市北部, 可致晋中南部发生山洪."""
    match = OBJECT.search(clean.text, start, end)
    if not match:
        return []
    tail = re.search("可能|将|发生|出现|带来|有|造成|的|并", clean.text[match.end() : end])
    stop = match.end() + tail.start() if tail else end
    return listed(clean, match.end(), stop) or []
