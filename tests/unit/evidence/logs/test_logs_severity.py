"""How bad an entry is: by its level where it has one, else by its words, read with care."""

from __future__ import annotations

import pytest

from kausa.evidence.logs import Severity, read_entries

LINES = {
    Severity.INFO: [
        "error_count=0 done",
        "errors: 0",
        "no error",
        "completed without errors",
        'level=info msg="an error was handled"',
        '{"level":"info","msg":"error page rendered"}',
        'GET /error HTTP/1.1" 200 12',
        "registering ErrorHandler",
        "loaded error-handler plugin",
        "connect timeout: 30s",
        "timeout=30",
        "writing to /var/log/nginx/error.log",
        '{"msg":"done","error":null}',
        "err=<nil> took=3ms",
        "error_count=3",
        "I0102 15:04:05.000000       1 file.go:12] error boom",
        "info: Acme.Ledger[0]",
        "INFO[0003] error budget ok",
        '{"level":30,"time":1700000000000,"msg":"x failed"}',
        "<11>1 2026-01-02T03:04:05Z host app 1 - - boom",
        "exited with code 0",
        "2026-01-02 03:04:05.123 UTC [12] LOG:  database system is ready",
        "1:M 02 Jan 2026 03:04:05.123 * Ready to accept connections",
        '10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 3',
        "[12:00:00 INF] started with 0 errors",
        "handling exceptions with the default policy",
        "listening on :8080",
        "max_errors: 10",
        "failOnError: true",
        "last_error: none",
        "stderr is closed",
        "[2026-01-02 03:04:05,123] INFO [GroupCoordinator 1]: no failed members (kafka.x)",
        "2026-01-02T03:04:05Z worker started",
        "ERROR_CODE=0",
        "GET /api/errors?x=1 200",
        "No errors were found",
        "Errors: none",
        "failed=0 ok=3",
        "PLAY RECAP ok=3 changed=1 unreachable=0 failed=0",
        "loading module panic_handler",
        "Checking for errors...",
        "if error persists call us",
    ],
    Severity.WARNING: [
        "0 errors, 3 warnings fixed",
        "W0102 15:04:05.000000       1 file.go:12] x",
        "usage: ledger [-h]",
        "DeprecationWarning: old",
        '10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 503 3',
        "WARNING: x",
        "[WARN] x",
        "ts=1 caller=main.go:1 level=warn msg=slow",
        "Retrying in 5s",
    ],
    Severity.ERROR: [
        "5 errors found",
        "cannot open /etc/x",
        "Connection refused",
        "2026-01-02 03:04:05,123 - app - ERROR - boom",
        "2026-01-02T03:04:05.123Z\terror\tmain.go:12\tboom\t{}",
        "E0102 15:04:05.000000       1 file.go:12] boom",
        "E, [2026-01-02T03:04:05.123456 #1] ERROR -- : boom",
        "[2026-01-02T03:04:05Z ERROR app::db] boom",
        "fail: Acme.Ledger[0]",
        "ERRO[0003] cannot dial",
        '{"level":50,"time":1700000000000,"msg":"x"}',
        '{"s":"E","c":"NETWORK","msg":"x"}',
        "Jan  2 03:04:05 host sshd[12]: error: no key",
        "npm ERR! missing script: start",
        "exited with code 1",
        "/bin/sh: 1: ledgerd: not found",
        "bash: ledgerd: command not found",
        "exec /app: exec format error",
        "ledger: error: unrecognized arguments: --prot",
        "error: x",
        "Error: x",
        "Killed",
        "[12:00:00 ERR] x",
        "ERROR:root:x",
        "24/01/02 15:04:05 ERROR Executor: Exception in task 0.0",
        "<Error> Application: DB::Exception: x",
        "user agreed to unknown terms",
        "Failed to start Ledger",
        "lost health",
        "job failing",
    ],
    Severity.FATAL: [
        "panic: x",
        "FATAL: no config",
        "F0102 15:04:05.000000       1 file.go:12] x",
        '2026/01/02 03:04:05 [emerg] 1#1: host not found in upstream "api"',
        "crit: Acme.Ledger[0]",
        "FATA[0003] bye",
        '2026-01-02 03:04:05.123 UTC [12] FATAL:  password authentication failed for user "x"',
        "1:M 02 Jan 2026 03:04:05.123 # Fatal error, can't open config file",
        "Segmentation fault (core dumped)",
        "[12:00:00 FTL] x",
        "CRITICAL:root:x",
        "fatal: not a git repository",
    ],
}


@pytest.mark.parametrize(
    ("line", "expected"), [(line, level) for level, lines in LINES.items() for line in lines]
)
def test_the_severity_of_a_line(line: str, expected: Severity) -> None:
    (entry,) = read_entries([line])
    assert entry.severity is expected


def test_an_indented_line_below_information_is_no_error_of_its_own() -> None:
    (entry,) = read_entries(["2026-01-02T03:04:05Z INFO statement:", "  select failed from errors"])
    assert entry.severity is Severity.INFO
