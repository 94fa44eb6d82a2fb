"""Another process on a district's database: posts facts until it has posted so many, or is killed.

Called with: data directory, database URL, a name for its inputs, how many. Prints each id once it is answered.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fengsui.config import configure

if __name__ == "__main__":
    data, url, name, count = sys.argv[1:]
    configure(data, url)

    from fengsui.core.facts import DirectoryChanged
    from fengsui.flow.inputs import Input, Unwritten
    from fengsui.store import vault
    from tests.conftest import START, Database
    from tests.flow.district import NIGHT, writing

    with writing(Database(Path(data), url, vault.load(Path(data), START))) as writer:
        for n in range(int(count)):
            fact = DirectoryChanged("district", NIGHT + n, "corrected", "media", f"{name}-{n}")
            while True:
                try:
                    assert writer.post(Input(f"{name}-{n}", fact)).result(20).ok
                    break
                except Unwritten:
                    continue
            sys.stdout.write(f"{name}-{n}\n")
            sys.stdout.flush()
