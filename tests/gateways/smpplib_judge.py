"""A client by somebody else (PyPI smpplib), judging our centre; a process of its own. Argument: the port.
Binds, sends a text of two parts, hears receipts and a reply, unbinds, prints what it saw as one line of JSON.
"""

import json
import logging
import sys

import smpplib.client
import smpplib.consts
import smpplib.gsm

logging.disable(logging.CRITICAL)
seen = {"sent": [], "receipts": [], "replies": []}


def arrived(pdu):
    if pdu.esm_class & 4:
        seen["receipts"].append(pdu.short_message.decode("latin-1").split()[0])
    else:
        seen["replies"].append(pdu.short_message.decode("utf-16-be"))


client = smpplib.client.Client("127.0.0.1", int(sys.argv[1]), timeout=10, logger_name="judge")
client.set_message_sent_handler(lambda pdu: seen["sent"].append(pdu.message_id.decode()))
client.set_message_received_handler(arrived)
client.connect()
client.bind_transceiver(system_id="judge", password="rehearse")
parts, coding, esm_class = smpplib.gsm.make_parts("暴雨红色预警" * 20)
for part in parts:
    client.send_message(
        source_addr="10690000",
        destination_addr="10000000001",
        short_message=part,
        data_coding=coding,
        esm_class=esm_class,
        registered_delivery=True,
    )
while len(seen["receipts"]) < len(parts) or not seen["replies"]:
    client.read_once()
client.unbind()
client.disconnect()
print(json.dumps(seen))  # noqa: T201
