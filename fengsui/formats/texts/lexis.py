"""词表 Lexis: the words that part places from weather — closed classes of Chinese forecasts, no names of places.

A list is words parted by blanks; a lookahead beside a word keeps it out of a place's name (将乐县, 从江, 自贡).
"""

from __future__ import annotations

from fengsui.formats.texts import times


def one_of(*lists: str) -> str:
    """A pattern that matches any word of the lists."""
    return f"(?:{'|'.join(word for words in lists for word in words.split())})"


HAN = "[一-鿿]"
WILL = "将(?!乐县|军|台[乡地])"
FROM = "从(?!化|江)"
HAS = "(?<![所国])有(?!林|庆)"
MUCH = "较(?![高低]海拔)"

# ── 方位与地形 sides and land: what stands beside a name, or for one ──────────────
SIDE = one_of("[东西南北中]{1,2} 偏[东西南北] 沿[江海河湖山黄] 较?[高低]海拔 浅")
LAND = one_of("部 山区 平原 丘陵 地区 区域 山地 盆地 平川 一带 海域 海面 县区 乡镇 街镇 镇街 半坡")
NEAR = "周边 周围 附近 两侧 局部"
TOWN = "城区 市区 郊区"
UNIT = "区县 县区 市县 县市 市 县 区 旗 乡镇 街镇 镇街 乡 镇 街道"
PLACE = one_of(
    "[省市县区州盟旗乡镇村]$ [海湖江河湾峡岛]$ 街道$ 办事处$ 管委会$ 地区$ 场$ 苏木$ 园$ 部$ 流域$ 全境 大部",
    "一带$ 海域$ 海面$ [市县区]）$ ^(?:我|本|全|各)[省市县区旗州盟]",
    SIDE + "$",
)
"""What shows that a word is a place."""

# ── 句首 how a clause of a forecast opens, before its place ──────────────────────
OPENING = one_of(
    "预计 预报 预测 预期 预估 据 另外 此外 同时 其中 特别是 尤其是 主要 并且? 届时 因此 以及 或者? 且 期间 在 对 ， 、 ： -",
    f"{FROM} 自(?!贡|流)",
    "受[^，。；]{1,40}?影响[，下]?",
    f"{times.NOW}{times.NUMBER}?(?:[-至到]{times.NUMBER})?个?(?:小时|天|日|周)?(?:之内|以内|内|里)?",
    f"{times.NUMBER}个?小时(?:之内|以内|内)",
    "今天 今日 今晚 今夜 今晨 明天 明日 明晨 明晚 后天 当前 目前 现在 即日 本周 周末 近日 近期 最近 当日 次日",
    f"{times.LONG_PART} 至 到 起 开始 前后 以前 之前 左右 之间 (?<=[午晚晨间时\0])前 \0",
)

# ── 谓语 how the predicate of a forecast begins, after its place ──────────────────
VERBS = f"""
{WILL} 可能 可(?=达|出现|有|造成|致|发生) 会(?=有|出现|发生|达|受) 仍 {HAS} 无(?=明显|降|雷) 多(?=\\d|大雾|阵|雷|云)
出现 发生 受 处于 下降 上升 升[至高] 达(?=到|\\d) 的 先后 自[东西南北] 均(?=有|将|会|可|出) 依然 继续 持续 维持 存在 具有
还(?=有|将|会|可) 转(?=[北南东西偏多阴小中大]) 伴 并 降级 升级 以(?=偏) 为(?=[一二三四1-4ⅠⅡⅢⅣ红橙黄蓝]) {MUCH} 极?易(?=出现|发生|引)
"""
WEATHER = """
降(?=雨|雪|水|温|幅|至) 雨(?=量|势|强|雪) 累计 累积 最[大高低] 日(?=最|平均) 过程 平均 阵风 风力 瞬[时间] 气温 地温 地面 地表
能见度 大雾 浓雾 团雾 暴雨 大暴雨 大雨 中雨 小雨 大到 中到 雷[电雨暴阵] 冰雹 短时 强降 强对 大风 [东西南北偏]{1,3}大?风 雨雪
积雪 结冰 凝冻 沙尘 扬沙 浮尘 寒潮 高温 霜 冻 干旱 旱情 空气 污染 对流 雨带 云团 阴(?=有|天|到|转) 晴(?=[天到转])
地质灾害 山洪 森林 火险 河流(?!镇|乡) 中小河流 道路 路面 气象 城乡(?=内涝|积涝|渍涝|低洼|道路|气象)
"""
WHEN = "夜间 白天 今[天晚夜日] 明[天日晚] 未来 傍晚 上午 下午 局部 局地 -\\d \\d \0"

# ── 不是地名 what no name of a place contains ────────────────────────────────────
STOP = one_of(
    f"""
天气 旱情 中小 瞬[时间] 降水 降雨 降雪 雨量 雪量 雷电 雷雨 大风 阵风 风力 气温 空气 云团 云系 云带 回波 系统 影响 强度 过程
期间 时段 累计 防范 防御 防汛 注意 工作 部门 单位 人员 公众 灾害 风险 能见度 可能 预警 信号 发布 未来 目前 今天 明天 夜间 白天
小时 毫米 不 今年 首个 本月 最新 滑坡 泥石流 积涝 内涝 交通 出行 生产 农业 作物 设施 措施 实施 应急 演练 受 {MUCH} 达到
出现 发生 持续 暴雨 暴雪 冰雹 寒潮 降温 高温 霜冻 沙尘 大雾 浓雾 霾 道路结冰 解除 升级 降级 继续 已 {HAS} {WILL} 仍
这次 此次 本次 范围 级别 等级 情况 信息 指挥 响应 请 时效 有效
"""
)
REFERENCE = (
    "^(?:陆地|陆上|内陆|海上|近海|远海|海区)$|^"
    + one_of("上述 上列 以上 预警 该 此 这些 前述 相关 其他 其它 局部 个别 部分 少数 大部分?")
    + "的?"
    + one_of("地区 区域 地方 范围 县区 乡镇 地段 路段")
    + "?[内中的]?$"
)
"""Areas named by reference, and land against sea: no entry."""

# ── 名字前后 what falls away before and after a name ──────────────────────────────
BEFORE = one_of("在 对 为 是 ： 其中 包括 主要为 主要在 主要 以及 尤其是? 特别是 涉及 、 ，")
SOME = one_of("局部 (?<!大)部分 个别")
SOME_OF = one_of("地区 地方 区域 地段 时段 乡镇? 镇街? 镇村 县区 区县 山区 县 镇 街道 路段")
AFTER = one_of(
    f"(?<={HAN}{{2}})等(?=地|\\d|[一二三四五六七八九十]|部分|局部|大部|乡|镇|街道|县|市|区|$).*",
    f"(?:境内|之间|附近)?的?{SOME}{SOME_OF}?(?:（[^（）]*）)?",
    f"等 的 内 范围 为 是 达到? 局地 (?<={HAN}{{2}})\\d{{1,4}}个[市县区旗乡镇街].*",
)

# ── 小句 clauses that warn nowhere ──────────────────────────────────────────────
SECOND = one_of("山洪 地质灾害 滑坡 泥石流 河流 内涝 积涝 渍涝 积水 塌方 次生 塌陷")
"""What follows from the weather; it is the warning itself only where RISKY says so of the hazard's name."""
RISKY = one_of("山洪 地质 洪 涝 渍")
OFFICES = one_of("气象[台局] 发布 联合提醒 启动 应急响应")
"""What offices do, not the weather."""
