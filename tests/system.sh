#!/bin/sh
# System packages that the tests need; harmless when they are there. Needs root or sudo.
set -eu

PACKAGES="postgresql postfix kannel poppler-utils mosquitto chromium fonts-noto-cjk"

missing=""
for package in $PACKAGES; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "缺少系统软件包，请以 root 执行：apt-get install -y --no-install-recommends$missing" >&2
        exit 1
    fi
    # a package must not start its service here: the tests start their own, on loopback, and stop it
    policy=/usr/sbin/policy-rc.d
    made=""
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        $as_root chmod 755 "$policy"
        made=1
    fi
    status=0
    echo "postfix postfix/main_mailer_type select No configuration" | $as_root debconf-set-selections
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null || true
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null || status=$?
    [ -z "$made" ] || $as_root rm -f "$policy"
    [ "$status" = 0 ] || exit "$status"
fi

here=$(dirname "$0")
if [ -e "$here/package-lock.json" ]; then
    npm ci --prefix "$here" --no-audit --no-fund --loglevel=error
fi
