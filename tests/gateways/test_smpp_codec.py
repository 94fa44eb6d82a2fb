"""The codec gives back what it was given, and answers rubbish with PduError and with nothing else."""

import asyncio
import contextlib
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpp_rig import Centre, Plan, connected, gateway, until

from fengsui.formats import smpp, smpp_content, smpp_quick

octets = st.integers(0, 255)
sequences = st.integers(0, 0xFFFFFFFF)


def texts(most):
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=most)


tlvs = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4).map(tuple)
binds = st.builds(
    smpp.Bind,
    st.sampled_from(sorted(smpp.BINDS)),
    sequences,
    texts(15),
    texts(64),
    texts(12),
    octets,
    octets,
    octets,
    texts(40),
)
messages = st.builds(
    smpp.Message,
    st.sampled_from(sorted(smpp.MESSAGES)),
    sequences,
    texts(20),
    texts(20),
    st.binary(max_size=255),
    octets,
    octets,
    octets,
    texts(16),
    texts(5),
    octets,
    octets,
    octets,
    octets,
    octets,
    octets,
    texts(16),
    octets,
    octets,
    tlvs,
)
answers = st.builds(
    smpp.Answer, st.sampled_from(sorted(smpp.ANSWERS - smpp.TEXTLESS)), sequences, sequences, texts(64), tlvs
) | st.builds(smpp.Answer, st.sampled_from(sorted(smpp.TEXTLESS)), sequences, sequences)
plains = st.builds(
    smpp.Plain,
    st.sampled_from([smpp.ENQUIRE_LINK, smpp.UNBIND, smpp.GENERIC_NACK, 0x03, 0x102]),
    sequences,
    sequences,
)
pdus = binds | messages | answers | plains


@given(pdus)
@settings(max_examples=400)
def test_decode_is_the_inverse_of_encode(pdu):
    assert smpp.decode(smpp.encode(pdu)) == pdu


@given(st.lists(pdus, max_size=6), st.data())
def test_a_stream_is_cut_into_the_same_frames_however_it_arrives(sent, data):
    stream = b"".join(smpp.encode(pdu) for pdu in sent)
    framer, found, at = smpp.Framer(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 200))
        found += [smpp.decode(frame) for frame in framer.feed(stream[at : at + size])]
        at += size

    assert found == sent


@pytest.mark.parametrize("length", [0, 15, 65_537, 0xFFFFFFFF])
def test_a_frame_of_impossible_length_is_refused_after_the_good_ones(length):
    good = smpp.encode(smpp.Plain(smpp.ENQUIRE_LINK, 0, 1))
    frames = smpp.Framer().feed(good + length.to_bytes(4, "big") + bytes(12))

    assert next(frames) == good
    with pytest.raises(smpp.PduError):
        next(frames)


SAMPLES = [
    smpp.Bind(smpp.BIND_TRANSCEIVER, 1, "fengsui", "rehearse"),
    smpp.Message(smpp.SUBMIT_SM, 2, "10690000", "10000000001", "暴雨".encode("utf-16-be"), data_coding=8),
    smpp.Message(smpp.SUBMIT_SM, 3, "10690000", "10000000001", b"\x05\0\3\7\2\1" + b"\0a" * 67, 0x40, 8, 1),
    smpp.Message(
        smpp.DELIVER_SM,
        4,
        "10000000001",
        "10690000",
        smpp_content.receipt_text("1A2B", "UNDELIV", err="001", done="2608011200"),
        smpp.RECEIPT,
    ),
    smpp.Message(
        smpp.DELIVER_SM,
        5,
        "10000000001",
        "10690000",
        esm_class=4,
        tlvs=((0x1E, b"1a2b\0"), (0x427, b"\5"), (0x423, b"\3\0\1")),
    ),
    smpp.Message(smpp.DELIVER_SM, 6, "10000000001", "10690000", "收到".encode("utf-16-be"), 0x40, 8),
    smpp.Answer(smpp.SUBMIT_SM_RESP, 0, 7, "1A2B"),
    smpp.Answer(smpp.BIND_TRANSCEIVER_RESP, 0, 1, "centre", ((0x210, b"\x34"),)),
    smpp.Answer(smpp.ENQUIRE_LINK_RESP, 0, 8),
    smpp.Plain(smpp.ENQUIRE_LINK, 0, 9),
]


def mutated(rng):
    """A frame with some octets changed, cut, doubled or lengthened; its length field sometimes made right again."""
    data = bytearray(smpp.encode(rng.choice(SAMPLES)))
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
            case 1:
                del data[at : at + rng.randint(1, 8)]
            case 2:
                data[at:at] = data[at : at + rng.randint(1, 30)]
            case _:
                data += rng.randbytes(rng.randint(1, 9))
        data = data or bytearray(1)
    if rng.random() < 0.7 and len(data) >= 16:
        data[:4] = len(data).to_bytes(4, "big")
    return bytes(data)


def read_all(frame):
    """Everything the project ever does with a frame from outside."""
    pdu = smpp.decode(frame)
    if isinstance(pdu, smpp.Message):
        if smpp_content.report(pdu) is None:
            part, data = smpp_content.segment(pdu)
            assert "\0" not in smpp_content.words(data, pdu.data_coding)
            assert part is None or part.number <= part.total
    elif isinstance(pdu, smpp.Answer):
        smpp_content.variants(pdu.text[:64])


def test_thirty_thousand_mutated_frames_raise_nothing_but_pdu_error():
    rng, bad = random.Random(34), 0
    for _ in range(30_000):
        try:
            read_all(mutated(rng))
        except smpp.PduError:
            bad += 1

    assert 5_000 < bad < 29_000


def carefully(frame):
    """What the careful readers say of a frame: a receipt, the name in an answer, or that it is malformed."""
    try:
        pdu = smpp.decode(frame)
        if isinstance(pdu, smpp.Message):
            return smpp_content.report(pdu, zone_hours=7)
        return pdu.text if isinstance(pdu, smpp.Answer) else ""
    except smpp.PduError:
        return smpp.PduError


def test_the_quick_readers_say_what_the_careful_ones_say_or_leave_it_to_them():
    rng, read, left = random.Random(7), 0, 0
    usual = smpp_content.receipt_text("1a2f", "DELIVRD", done="2608011200", text="\u66b4")
    receipts = [
        smpp.encode(smpp.Message(smpp.DELIVER_SM, 5, "100", "10690", body, esm_class, 0, 0, validity))
        for body in (usual, usual.upper(), usual.replace(b"id:", b"id: "), usual.replace(b"stat:", b"s:"))
        for esm_class in (smpp.RECEIPT, 0x20, 0)
        for validity in ("", "000000010000000R")
    ]
    answered = [
        smpp.encode(smpp.Answer(smpp.SUBMIT_SM_RESP, 0, 5, "1a2f", tlvs)) for tlvs in ((), ((1, b"x"),))
    ]
    for turn in range(30_000):
        frame = rng.choice([*receipts[:1] * 8, *receipts, *answered])
        if turn % 3:
            data = bytearray(frame)
            data[rng.randrange(16, len(data))] = rng.randrange(256)
            frame = bytes(data)
        if smpp_quick.what(frame)[0] == smpp.DELIVER_SM:
            said = smpp_quick.receipt(frame, zone_hours=7)
            read, left = read + (said is not None), left + (said is None)
            assert said is None or said == carefully(frame)
        else:
            try:
                name = smpp_quick.taken_as(frame)
            except smpp.PduError:
                name = smpp.PduError
            assert name == carefully(frame)

    assert read > 1_000
    assert left > 1_000


@given(st.binary(max_size=80))
def test_octets_from_nowhere_raise_nothing_but_pdu_error(data):
    try:
        for frame in smpp.Framer().feed(data):
            read_all(frame)
        read_all(data)
    except smpp.PduError:
        pass


def quiet(caplog):
    """No traceback, nothing unexplained."""
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_a_live_centre_survives_mutated_frames(caplog):
    async def scene():
        centre, rng = Centre(Plan()), random.Random(5)
        port = await centre.start()
        for _ in range(150):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(smpp.encode(SAMPLES[0]) + b"".join(mutated(rng) for _ in range(8)))
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await centre.stop()
        return centre.count

    count = asyncio.run(scene())

    assert count["malformed"] > 50
    quiet(caplog)


def test_a_live_client_survives_mutated_frames_and_comes_back(caplog):
    class Rubbish(asyncio.Protocol):
        rng, calls = random.Random(6), 0

        def connection_made(self, transport):
            self.transport = transport
            Rubbish.calls += 1

        def data_received(self, data):  # noqa: ARG002
            self.transport.write(smpp.encode(smpp.Answer(smpp.BIND_TRANSCEIVER_RESP, 0, 1, "x")))
            self.transport.write(b"".join(mutated(self.rng) for _ in range(10)))
            asyncio.get_running_loop().call_later(0.01, self.transport.abort)

    class Eager(random.Random):
        def uniform(self, low, high):  # noqa: ARG002
            return 0.0

    async def scene():
        server = await asyncio.get_running_loop().create_server(Rubbish, "127.0.0.1", 0)
        gate = gateway(server.sockets[0].getsockname()[1])
        gate._rng = Eager()
        async with connected(gate, up=False):
            await until(lambda: Rubbish.calls > 60 or gate._refused, 20)
            assert not gate._refused
        server.close()
        await server.wait_closed()

    asyncio.run(scene())

    assert any("G034" in record.getMessage() for record in caplog.records)
    quiet(caplog)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            b"id:0001A2 sub:001 dlvrd:001 submit date:2608011159 done date:2608011200 stat:DELIVRD err:000 text:x",
            smpp_content.Report("0001A2", "DELIVRD", "000", 1_785_556_800_000_000),
        ),
        (b"ID:77 Stat:undeliv Err:1B", smpp_content.Report("77", "UNDELIV", "1B")),
        (
            b"id:9 stat:REJECTD err:099 done date:2613011200 text:id:8 stat:DELIVRD",
            smpp_content.Report("9", "REJECTD", "099"),
        ),
    ],
)
def test_receipts_are_read_from_their_customary_words(text, expected):
    assert smpp_content.report(smpp.Message(smpp.DELIVER_SM, 1, "a", "b", text, smpp.RECEIPT)) == expected


def test_a_receipt_is_read_from_its_optional_parameters_without_any_text():
    assert smpp_content.report(SAMPLES[4]) == smpp_content.Report("1a2b", "UNDELIV", "001")


def test_a_receipt_that_names_no_message_is_an_error_and_a_reply_is_no_receipt():
    with pytest.raises(smpp.PduError):
        smpp_content.report(smpp.Message(smpp.DELIVER_SM, 1, "a", "b", b"stat:DELIVRD", smpp.RECEIPT))
    assert smpp_content.report(smpp.Message(smpp.DELIVER_SM, 1, "a", "b", b"id:1 stat:DELIVRD")) is None


@given(st.binary(max_size=120), st.integers(0, 0xFFFF), st.integers(1, 255))
def test_the_header_of_a_part_comes_back(words, reference, total):
    part = smpp_content.Segment(reference & 0xFF, total, total)
    message = smpp.Message(smpp.SUBMIT_SM, 1, "a", "b", smpp_content.segment_header(part) + words, smpp.UDHI)

    assert smpp_content.segment(message) == (part, words)


def test_a_header_with_a_16_bit_reference_is_understood():
    message = smpp.Message(smpp.DELIVER_SM, 1, "a", "b", bytes((6, 8, 4, 1, 2, 3, 1)) + b"hi", smpp.UDHI)

    assert smpp_content.segment(message) == (smpp_content.Segment(0x102, 3, 1), b"hi")


@given(st.integers(-10, 10**9))
def test_a_relative_validity_period_is_never_zero_nor_longer_than_asked(seconds):
    text = smpp_content.relative(seconds)
    days, hours, minutes, rest = (int(text[at : at + 2]) for at in (4, 6, 8, 10))

    assert days * 86_400 + hours * 3_600 + minutes * 60 + rest == min(max(seconds, 1), smpp_content.LONGEST)
    assert (len(text), text[12:]) == (16, "000R")


@given(st.integers(0, 2**64))
def test_an_id_in_hex_and_in_decimal_share_a_form(number):
    assert set(smpp_content.variants(f"{number:08X}")) & set(smpp_content.variants(f"{number:010d}"))


@given(
    messages.map(lambda pdu: msgspec.structs.replace(pdu, command=smpp.SUBMIT_SM)),
    st.integers(1, 9),
)
def test_a_prepared_form_is_the_encoding(pdu, sequence):
    bare = smpp.decode(smpp.encode(pdu))
    form = smpp.Form(msgspec.structs.replace(bare, destination=""))
    filled = smpp.decode(form.fill(sequence, bare.destination.encode("latin-1")))

    assert filled == msgspec.structs.replace(bare, sequence=sequence)


def test_a_value_that_does_not_fit_is_refused_in_writing():
    for pdu in (
        smpp.Bind(smpp.BIND_RECEIVER, 1, "x" * 16, "y"),
        smpp.Message(smpp.SUBMIT_SM, 1, "1" * 21, "2"),
        smpp.Message(smpp.SUBMIT_SM, 1, "1", "2", b"x" * 256),
        smpp.Message(smpp.SUBMIT_SM, 1, "雨", "2"),
        smpp.Answer(smpp.SUBMIT_SM_RESP, -1, 1),
    ):
        with pytest.raises(smpp.PduError):
            smpp.encode(pdu)
