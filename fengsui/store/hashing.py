"""口令散列 Hashing: how passwords are kept — argon2id as OWASP recommends, so that signing does not wait for it."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):  # type: ignore[misc]
    """19 MiB, two passes, one lane: 22 ms of one core. Django's own (100 MiB, eight lanes) took 215 ms, and over a second
    on a busy machine; an older hash is still checked as it was made.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
