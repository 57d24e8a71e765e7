"""Programs that end, and what they said last."""

from __future__ import annotations

from hack.record_cases.building import container, deployment, env, pod, prints
from hack.record_cases.scenario import Expected, Scenario, Step

PRICING = (
    'case "$CURRENCY" in EUR|USD) while true; do sleep 1; done;; esac; '
    'echo "fatal: CURRENCY must be EUR or USD, got $CURRENCY"; sleep 1; exit 4'
)


def _crash(
    id_: str,
    title: str,
    *lines: str,
    category: str,
    says: tuple[tuple[str, ...], ...],
    code: int = 1,
) -> Scenario:
    return Scenario(
        id=id_,
        title=title,
        target="Deployment/worker",
        steps=(Step(manifests=(deployment("worker", prints(*lines, exit_code=code)),)),),
        expected=Expected(category=category, says=says),
    )


SCENARIOS = (
    _crash(
        "crash-last-words",
        "Ends with a reason of its own",
        "starting worker 4.2",
        "ERROR the licence file has 3 seats and 9 are in use",
        category="CrashLoop",
        says=(("licen[cs]e|seats",), ("exit code 1|exited|ends|ended|crash",)),
    ),
    _crash(
        "crash-missing-variable",
        "A variable that the program needs is not set",
        "Traceback (most recent call last):",
        '  File "/srv/worker/main.py", line 12, in <module>',
        '    url = os.environ["QUEUE_URL"]',
        '  File "<frozen os>", line 679, in __getitem__',
        "KeyError: 'QUEUE_URL'",
        category="Config",
        says=(("QUEUE_URL",), ("environment|variable|not set|missing",)),
    ),
    _crash(
        "crash-missing-module",
        "A module is not in the image",
        "Traceback (most recent call last):",
        '  File "/srv/worker/main.py", line 3, in <module>',
        "    import orjson",
        "ModuleNotFoundError: No module named 'orjson'",
        category="CrashLoop",
        says=(("orjson",), ("module|package|installed|image",)),
    ),
    _crash(
        "crash-caused-by",
        "A Java trace whose first cause is far below its first line",
        "2026-02-03 04:05:06.789 ERROR [main] o.s.boot.SpringApplication - Application run failed",
        "org.springframework.beans.factory.BeanCreationException: Error creating bean 'ledger'",
        "\tat org.springframework.beans.factory.support.Factory.create(Factory.java:1786)",
        "\tat com.example.ledger.Main.main(Main.java:21)",
        "Caused by: java.lang.IllegalStateException: pool 'ledger' could not be opened",
        "\tat com.example.ledger.Pool.open(Pool.java:88)",
        "\t... 12 more",
        "Caused by: java.io.FileNotFoundException: /etc/ledger/pool.yaml "
        "(No such file or directory)",
        "\tat java.base/java.io.FileInputStream.open0(Native Method)",
        "\t... 14 more",
        category="Config",
        says=(("/etc/ledger/pool\\.yaml",), ("no such file|does not exist|missing|not found",)),
    ),
    _crash(
        "crash-panic",
        "A Go program panics",
        '{"level":"info","ts":1770000000.1,"msg":"listening","port":8080}',
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4a1b2c]",
        "",
        "goroutine 1 [running]:",
        "main.(*Router).handle(0x0, {0xc000012345, 0x5})",
        "\t/src/router.go:57 +0x1c",
        "main.main()",
        "\t/src/main.go:19 +0x8f",
        category="CrashLoop",
        code=2,
        says=(("nil pointer|panic",),),
    ),
    _crash(
        "crash-unknown-flag",
        "Started with a flag that the program does not know",
        "Error: unknown flag: --listen-adress",
        "Usage:",
        "  worker serve [flags]",
        "      --listen-address string   where to listen (default :8080)",
        category="CrashLoop",
        code=2,
        says=(("--listen-adress",), ("flag|argument|option",)),
    ),
    _crash(
        "crash-port-in-use",
        "Two programs of one Pod want one port",
        "level=info msg=starting version=1.9",
        'level=fatal msg="cannot listen" err="listen tcp :9090: bind: address already in use"',
        category="CrashLoop",
        says=(("9090",), ("in use|already",)),
    ),
    _crash(
        "crash-schema-old",
        "The database has no column that the program reads",
        "2026-02-03T04:05:06Z INFO worker started",
        "sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedColumn) column orders.tax_code "
        "does not exist",
        category="Dependency",
        says=(("tax_code",), ("column|schema|migration",)),
    ),
    _crash(
        "crash-among-noise",
        "Hundreds of harmless errors, and one that ends it",
        *(
            f"WARN retry {number} of telemetry export failed, error=timeout"
            for number in range(300)
        ),
        "FATAL cannot read certificate /etc/tls/tls.crt: permission denied",
        category="Permission",
        says=(("/etc/tls/tls\\.crt",), ("permission denied|may not|not allowed|cannot read",)),
    ),
    Scenario(
        id="crash-command-misspelt",
        title="The command does not exist in the image",
        target="Deployment/report",
        steps=(
            Step(
                manifests=(deployment("report", container(command=["htpd", "-f", "-p", "8080"])),)
            ),
        ),
        expected=Expected(
            category="CrashLoop", says=(("htpd",), ("not found|does not exist|no such",))
        ),
    ),
    Scenario(
        id="crash-ends-with-success",
        title="A program that is done is started again and again",
        target="Deployment/once",
        steps=(Step(manifests=(deployment("once", container(script="echo done; exit 0")),)),),
        expected=Expected(
            category="CrashLoop", says=(("exit code 0|code 0|with success|succe|complet",),)
        ),
    ),
    Scenario(
        id="crash-killed-by-signal",
        title="Ends by a segmentation fault",
        target="Deployment/codec",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "codec",
                        container(
                            script="echo decoding; sleep 1; sh -c 'kill -SEGV $$$$'; exit $?"
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category="CrashLoop", says=(("SIGSEGV|segmentation|139|signal 11",),)),
    ),
    Scenario(
        id="crash-of-init-container",
        title="The second init container fails, the main one never starts",
        target="Deployment/orders",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "orders",
                        container("web"),
                        initContainers=[
                            container("permissions", script="echo fine"),
                            prints("migration 0042_totals failed: lock timeout", name="migrate"),
                        ],
                    ),
                )
            ),
        ),
        expected=Expected(
            category="Dependency", says=(("migrate",), ("0042_totals|lock timeout",))
        ),
    ),
    Scenario(
        id="crash-of-sidecar",
        title="The sidecar crashes while the program itself is well",
        target="Deployment/gateway",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "gateway",
                        container("gateway"),
                        prints(
                            "error: open /etc/proxy/routes.json: no such file or directory",
                            name="proxy",
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category="Config", says=(("proxy",), ("routes\\.json",))),
    ),
    Scenario(
        id="crash-of-post-start",
        title="A hook after the start fails, so the container is ended",
        target="Pod/cachewarm",
        steps=(
            Step(
                manifests=(
                    pod(
                        "cachewarm",
                        container(
                            lifecycle={
                                "postStart": {
                                    "exec": {"command": ["sh", "-c", "echo no cache >&2; exit 7"]}
                                }
                            }
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category="CrashLoop", says=(("post-?start",),)),
    ),
    Scenario(
        id="crash-after-variable-changed",
        title="A rollout changes a variable to what the program refuses",
        target="Deployment/pricing",
        steps=(
            Step(
                manifests=(
                    deployment("pricing", container(script=PRICING, env=env(CURRENCY="EUR"))),
                ),
                seconds=20,
            ),
            Step(
                manifests=(
                    deployment("pricing", container(script=PRICING, env=env(CURRENCY="EURO"))),
                )
            ),
        ),
        expected=Expected(category="CrashLoop", says=(("CURRENCY",), ("EURO",))),
    ),
)
