"""A short message centre by somebody else (PyPI smpp34), judging our client; a process of its own, for its interpreter
may abort at exit. Arguments: the port. Prints "ready", and on end of input what it saw as one line of JSON.
"""

import asyncio
import json
import os
import sys
import threading

import smpp34


async def main(port):
    server = smpp34.Server("127.0.0.1", port, system_id="judge")
    await server.start()
    print("ready", flush=True)  # noqa: T201
    sessions, seen, over = {}, {"binds": 0, "unbinds": 0, "heard": 0, "messages": []}, asyncio.Event()
    loop = asyncio.get_running_loop()

    def listen():
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=listen, daemon=True).start()

    async def serve():
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                sessions[event.session_id] = event
                seen["binds"] += 1
            elif isinstance(event, smpp34.SubmitSmEvent):
                name = f"{len(seen['messages']) + 1:08X}"
                seen["messages"].append(
                    {
                        "to": event.destination_addr,
                        "from": event.source_addr,
                        "body": event.short_message.hex(),
                        "coding": event.data_coding,
                        "esm": event.esm_class,
                    }
                )
                if event.destination_addr.endswith("7"):
                    event.reject(smpp34.ESME_RTHROTTLED)
                    continue
                event.accept(name)
                answer = await sessions[event.session_id].deliver_sm(
                    event.source_addr,
                    f"id:{name} stat:DELIVRD err:000".encode(),
                    source_addr=event.destination_addr,
                    esm_class=4,
                )
                seen["heard"] += answer.is_success
            elif isinstance(event, smpp34.Unbound):
                seen["unbinds"] += 1

    task = asyncio.create_task(serve())
    await over.wait()
    task.cancel()
    print(json.dumps(seen), flush=True)  # noqa: T201
    os._exit(0)


asyncio.run(main(int(sys.argv[1])))
