"""外面 Outside: whether what is promised to other systems can be had at the public address. Asks over the network."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

FEED = "/cap/feed.json"


def refusal(address: str, patience: float) -> tuple[bool, str]:
    """Whether something answers at the address, and what is wrong with the feed there, "" if it can be had.

    address: with scheme, without path. patience: seconds. A redirection is not followed: subscribers do not either.
    """
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=patience)
    try:
        connection.request("GET", FEED)
        answer = connection.getresponse()
        said = answer.read(1)
    except ssl.SSLError as error:
        return True, f"证书不被信任（{error.reason}）"
    except (OSError, http.client.HTTPException) as error:
        return False, f"打不开（{error or '超时'}）"
    finally:
        connection.close()
    if answer.status != http.client.OK:
        return True, f"得到的是 {answer.status}"
    return True, "" if said == b"{" else "得到的不是报文目录"
