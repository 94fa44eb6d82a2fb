"""What the tests of the short message gateway share: a centre, a client, an inbox, all in one loop.

Numbers begin with 100: no mobile number in China does, so nothing here can ring anywhere.
"""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fengsui.gateways.contract import Handover, Outcome
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.smsc import Centre, Plan

HOUR = 3_600 * 1_000_000
ONE = "10000000001"


def clock():
    return time.time_ns() // 1_000


def handover(number=ONE, *texts, id=1, reference=7, suffix="", expires=None):  # noqa: A002
    texts = texts or ("暴雨红色预警",)
    parts = tuple((index, len(texts), text) for index, text in enumerate(texts))
    return Handover(id, number, parts, reference, expires or clock() + HOUR, "red", suffix)


def handovers(count, **more):
    return [handover(f"100{id:08d}", id=id, **more) for id in range(count)]  # noqa: A001


def settings(port, **more):
    base = {"host": "127.0.0.1", "port": str(port), "system_id": "fengsui", "password": "rehearse"}
    return base | {"source": "10690000"} | {name: str(value) for name, value in more.items()}


def gateway(port, **more):
    return SmsSmpp("sms", settings(port, **more), accepts=frozenset({"test"}), clock=clock)


async def until(condition, seconds=8.0):
    """Wait until it holds; fail if it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.005)


class Inbox:
    """Stores what comes in; may be told to fail or to hold."""

    def __init__(self):
        self.items, self.calls, self.fail, self.poison, self.gate = [], [], 0, None, asyncio.Event()
        self.gate.set()

    async def __call__(self, items):
        self.calls.append(len(items))
        await self.gate.wait()
        if self.fail:
            self.fail -= 1
            raise RuntimeError("disk full")
        if any(getattr(item, "provider_id", None) == self.poison is not None for item in items):
            raise RuntimeError("cannot be stored")
        self.items += items


@contextlib.asynccontextmanager
async def connected(gate, *, up=True):
    """The gateway started, its inbox filling; stopped in the end."""
    inbox = Inbox()
    await gate.start()
    hearing = asyncio.create_task(gate.run(inbox))
    try:
        if up:
            await until(lambda: gate._link("tx") and gate._link("rx"))
        yield inbox
    finally:
        await gate.stop()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


@contextlib.asynccontextmanager
async def rig(*, plan=None, up=True, **more):
    """A centre and a gateway bound to it: (centre, gateway, inbox)."""
    centre = Centre(plan or Plan())
    centre.submitted = []
    gate = gateway(await centre.start(), **more)
    try:
        async with asyncio.timeout(30), connected(gate, up=up) as inbox:
            yield centre, gate, inbox
    finally:
        await centre.stop()


def outcomes(results):
    return [part.outcome for result in results for part in result.parts]


def accepted(results):
    return sum(outcome is Outcome.ACCEPTED for outcome in outcomes(results))


def certificate(folder):
    """A certificate of 127.0.0.1 by itself: (the server's side, the file a client trusts)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rehearsal")])
    today = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    root, secret = folder / "root.pem", folder / "key.pem"
    root.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(root, secret)
    return context, root
