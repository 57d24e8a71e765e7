"""Stack traces as the languages print them, each one entry, with what they come to."""

from __future__ import annotations

from dataclasses import dataclass

from kausa.evidence.logs import Severity

__all__ = ["TRACES", "Trace"]


@dataclass(frozen=True)
class Trace:
    """A text that is one entry, and what is to be read out of it."""

    name: str
    text: str
    decisive: str
    cause: str = ""
    severity: Severity = Severity.FATAL


PYTHON = """\
Traceback (most recent call last):
  File "/srv/app/main.py", line 31, in <module>
    run(settings())
    ~~~^^^^^^^^^^^^
  File "/srv/app/settings.py", line 9, in settings
    return os.environ["LEDGER_DSN"]
KeyError: 'LEDGER_DSN'"""

PYTHON_CHAIN = """\
Traceback (most recent call last):
  File "/srv/app/store.py", line 14, in connect
    return socket.create_connection(("ledger-db", 5432))
ConnectionRefusedError: [Errno 111] Connection refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/main.py", line 3, in <module>
    store.connect()
ledger.errors.StoreUnavailable: ledger-db:5432 does not take connections"""

PYTHON_HANDLING = """\
Traceback (most recent call last):
  File "/srv/a.py", line 2, in load
    return json.loads(text)
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/a.py", line 9, in <module>
    load()
SystemError: /etc/ledger/rules.json is no JSON"""

PYTHON_MANY_LINES = """\
Traceback (most recent call last):
  File "/srv/a.py", line 2, in <module>
    Settings()
pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings
ledger_url
  Field required [type=missing, input_value={}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.7/v/missing"""

JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: ledger cannot start
\tat com.acme.ledger.Main.run(Main.java:40)
\tat com.acme.ledger.Main.main(Main.java:12)
Caused by: java.sql.SQLException: no pool for ledger
\tat com.acme.ledger.Pool.open(Pool.java:88)
\t... 2 more
\tSuppressed: java.io.IOException: stream closed
\t\tat com.acme.ledger.Pool.close(Pool.java:99)
\tCaused by: java.io.EOFException: nothing there
\t\t... 1 more
Caused by: java.net.UnknownHostException: ledger-db.prod
\tat java.base/java.net.InetAddress.lookup(InetAddress.java:1)
\t... 5 common frames omitted"""

LOGBACK = """\
2026-03-04 10:11:12.131 ERROR 1 --- [    main] o.s.boot.SpringApplication : Application failed
org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'ledger'
\tat org.springframework.beans.Factory.make(Factory.java:1)
Caused by: java.lang.IllegalArgumentException: ledger.url must not be empty
\tat com.acme.ledger.Url.of(Url.java:7)
\t... 20 common frames omitted"""

GO_PANIC = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48f2c6]

goroutine 1 [running]:
main.(*ledger).open(0x0?)
\t/src/ledger/main.go:41 +0x26
main.main()
\t/src/ledger/main.go:12 +0x1d

goroutine 18 [chan receive]:
main.wait(...)
\t/src/ledger/wait.go:9
created by main.main in goroutine 1
\t/src/ledger/main.go:10 +0x55
exit status 2"""

NODE = """\
node:internal/modules/cjs/loader:1148
  throw err;
  ^

Error: Cannot find module '/srv/ledger/server.js'
    at Module._resolveFilename (node:internal/modules/cjs/loader:1145:15)
    at node:internal/main/run_main_module:28:49 {
  code: 'MODULE_NOT_FOUND',
  requireStack: []
}

Node.js v20.11.1"""

NODE_CAUSE = """\
/srv/ledger/db.js:7
    throw new Error('no ledger', { cause })
    ^

Error: no ledger
    at open (/srv/ledger/db.js:7:11) {
  [cause]: Error: connect ECONNREFUSED 10.0.0.9:5432
      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16) {
    errno: -111,
    code: 'ECONNREFUSED'
  }
}

Node.js v22.3.0"""

DOTNET = """\
Unhandled exception. System.InvalidOperationException: The ledger cannot be opened
 ---> System.Net.Sockets.SocketException (111): Connection refused 10.0.0.9:5432
   at System.Net.Sockets.Socket.Connect()
   --- End of inner exception stack trace ---
   at Acme.Ledger.Program.Main(String[] args) in /src/Program.cs:line 12"""

RUBY = """\
/srv/ledger/app.rb:12:in `fetch': key not found: "LEDGER_URL" (KeyError)
\tfrom /srv/ledger/app.rb:12:in `<main>'"""

RUST = """\
thread 'main' panicked at src/main.rs:9:32:
called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: "No such file" }
stack backtrace:
   0: rust_begin_unwind
             at /rustc/0f/library/std/src/panicking.rs:645:5
   1: ledger::main
             at ./src/main.rs:9:32
note: run with `RUST_BACKTRACE=full` for a verbose backtrace"""

ANYHOW = """\
Error: ledger cannot start

Caused by:
    0: reading /etc/ledger.toml
    1: No such file or directory (os error 2)"""

PHP = """\
PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /srv/db.php:4
Stack trace:
#0 /srv/db.php(4): PDO->__construct()
#1 {main}
  thrown in /srv/db.php on line 4"""

BANNER = """\
APPLICATION FAILED TO START
***************************

Description:

Web server failed to start. Port 8080 was already in use.

Action:

Identify and stop the process that's listening on port 8080."""

JSON_LINES = """\
{
  "level": "error",
  "message": "ledger is gone",
  "error": {
    "message": "dial tcp 10.0.0.9:5432: connect: connection refused"
  }
}"""

GUNICORN = """\
[2026-03-04 10:11:12 +0000] [7] [ERROR] Exception in worker process
Traceback (most recent call last):
  File "/usr/lib/python3/gunicorn/arbiter.py", line 609, in spawn_worker
    worker.init_process()
ModuleNotFoundError: No module named 'ledger'"""

TRACES = (
    Trace("python", PYTHON, "KeyError: 'LEDGER_DSN'"),
    Trace(
        "python, direct cause",
        PYTHON_CHAIN,
        "ledger.errors.StoreUnavailable: ledger-db:5432 does not take connections",
        "ConnectionRefusedError: [Errno 111] Connection refused",
    ),
    Trace(
        "python, during handling",
        PYTHON_HANDLING,
        "SystemError: /etc/ledger/rules.json is no JSON",
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ),
    Trace(
        "python, a message of many lines",
        PYTHON_MANY_LINES,
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings",
    ),
    Trace(
        "java",
        JAVA,
        "java.net.UnknownHostException: ledger-db.prod",
        "java.net.UnknownHostException: ledger-db.prod",
    ),
    Trace(
        "logback",
        LOGBACK,
        "java.lang.IllegalArgumentException: ledger.url must not be empty",
        "java.lang.IllegalArgumentException: ledger.url must not be empty",
        Severity.ERROR,
    ),
    Trace("go", GO_PANIC, "runtime error: invalid memory address or nil pointer dereference"),
    Trace("node", NODE, "Error: Cannot find module '/srv/ledger/server.js'"),
    Trace(
        "node, cause",
        NODE_CAUSE,
        "Error: connect ECONNREFUSED 10.0.0.9:5432",
        "Error: connect ECONNREFUSED 10.0.0.9:5432",
    ),
    Trace(
        "dotnet",
        DOTNET,
        "System.Net.Sockets.SocketException (111): Connection refused 10.0.0.9:5432",
        "System.Net.Sockets.SocketException (111): Connection refused 10.0.0.9:5432",
    ),
    Trace("ruby", RUBY, 'key not found: "LEDGER_URL" (KeyError)', severity=Severity.ERROR),
    Trace(
        "rust",
        RUST,
        "called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, "
        'message: "No such file" }',
    ),
    Trace(
        "anyhow",
        ANYHOW,
        "No such file or directory (os error 2)",
        "No such file or directory (os error 2)",
        Severity.ERROR,
    ),
    Trace("php", PHP, "PDOException: SQLSTATE[HY000] [2002] Connection refused"),
    Trace("spring", BANNER, "Web server failed to start. Port 8080 was already in use."),
    Trace(
        "json over lines",
        JSON_LINES,
        "ledger is gone: dial tcp 10.0.0.9:5432: connect: connection refused",
        "dial tcp 10.0.0.9:5432: connect: connection refused",
        Severity.ERROR,
    ),
    Trace(
        "gunicorn",
        GUNICORN,
        "ModuleNotFoundError: No module named 'ledger'",
        "ModuleNotFoundError: No module named 'ledger'",
        Severity.ERROR,
    ),
)
