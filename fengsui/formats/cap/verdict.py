"""裁定 Verdict: the strict answer to a message — each layer judged on what the ones before it let through.

XML first; then the schema; then, where the schema holds, the structs and the prose rules; the signature wherever there is
XML. With pinned certificates the structs are read from the bytes that were signed, never from those that were sent.
"""

from __future__ import annotations

from itertools import islice

import msgspec
from lxml import etree

from fengsui.core.cap import Alert
from fengsui.core.cap_rules import LAYERS, MOST, Finding, Layer, Path, judge
from fengsui.formats.cap import parse, schema, signature
from fengsui.formats.cap.read import read
from fengsui.formats.cap.trust import Trust


class Verdict(msgspec.Struct, frozen=True):
    """裁定 What was found, by layers, and the message if it has the shape of one.

    judged: layers that were looked at. signer: subject of the pinned certificate whose signature holds, "" = none.
    """

    findings: tuple[Finding, ...]
    judged: tuple[Layer, ...]
    alert: Alert | None = None
    signer: str = ""

    @property
    def valid(self) -> bool:
        """Whether nothing grave was found."""
        return not any(finding.grave for finding in self.findings)

    @property
    def layers(self) -> dict[Layer, bool | None]:
        """Layer → whether it holds; None: not looked at."""
        broken = {finding.layer for finding in self.findings if finding.grave}
        return {layer: layer not in broken if layer in self.judged else None for layer in LAYERS}


def verdict(content: bytes, trust: Trust | None = None, at: int | None = None) -> Verdict:
    """The verdict on a message.

    trust: the certificates whose signatures count, one of which must have signed; None = the signature is only mentioned.
    at: the moment (UTC µs) at which the signer's certificate must be valid, None = when the message was sent.
    """
    try:
        root = parse.parse(content)
    except parse.Refused as refused:
        return Verdict((refused.finding,), ("xml",))
    found = schema.faults(root, content)
    alert, judged = None, LAYERS[:2]
    if not found:
        alert, found = read(root)
        for finding in judge(alert):
            if len(found) == MOST:
                break
            found.append(msgspec.structs.replace(finding, line=_line(root, finding.where)))
        judged = LAYERS[:3]
    if trust is not None:
        return _with_signature(Verdict(tuple(found), judged, alert), content, trust, at)
    if len(root) and root[-1].tag == signature.TAG:  # the schema lets it stand nowhere else
        found.append(Finding("X400", "报文有签名。没有指定受信证书，未核验。", "signature", grave=False))
    return Verdict(tuple(found), judged, alert)


def _with_signature(said: Verdict, content: bytes, trust: Trust, at: int | None) -> Verdict:
    """A verdict with the layer of the signature; the message is now the one that was signed, or none."""
    judged = (*said.judged, LAYERS[3])
    try:
        signed = signature.verify(content, trust)
        root = parse.parse(signed.content)
    except signature.Bad as bad:
        return Verdict((*said.findings, bad.finding), judged)
    except parse.Refused as refused:
        problem = msgspec.structs.replace(refused.finding, layer="signature")
        return Verdict((*said.findings, problem), judged)
    alert = read(root)[0]
    when = at if at is not None else alert.sent.at if alert.sent else 0
    if expired := signature.current(signed.signer, when):
        return Verdict((*said.findings, expired), judged)
    return Verdict(said.findings, judged, alert if said.alert else None, signed.signer.subject)


def _line(element: etree._Element, where: Path) -> int:
    """The line of a path; of the nearest element above where the path leads nowhere."""
    for step, after in zip(where, (*where[1:], 0), strict=True):
        if isinstance(step, str):
            place = after if isinstance(after, int) else 0
            found = next(islice(element.iterchildren(f"{{*}}{step}"), place, None), None)
            if found is None:
                break
            element = found
    return element.sourceline or 0
