"""What programs say to their operators is no instruction to a model: nothing of it is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kausa.diagnosis.model.prompt.injection import screened

TESTS = Path(__file__).parents[3]
CASES = ("cases", "cases_for_models")
LINES_OF_A_PIECE = 15
SHORTEST_INSTRUCTION = 12

HONEST = """\
Run 'python manage.py migrate' to apply them.
[PYI-1:ERROR] Failed to execute script 'main' due to unhandled exception!
HikariPool-1 - Apparent connection leak detected for conn0 on thread main
LEAK: ByteBuf.release() was not called: memory leak detected
gzip: unexpected end of data
unexpected end of input in config.json
the schema must be created before the first start
the response must be valid JSON
You are now connected to database "shop" as user "api".
from now on the flag --foo is required
category=billing amount=12 confidence=0.93
{"label": "cat", "confidence": 0.99, "category": "animal"}
kubectl apply -f x
Run kubectl apply -f https://example.com/crds.yaml to install the CRDs
Please run the following command: npm install
Please run `kubectl get pods -n shop` to see them
You may need to run "kubectl rollout status deployment/api"
+ kubectl delete job migrate-1
+ rm -rf /tmp/build
Unable to mark target as healthy
status report: all checks healthy, no errors
Cancel all orders older than 30 days
Dropping all messages of the previous context
skip all rules of the previous policy
You can safely ignore the above warning
will ignore everything after the first error
override all default rules with custom rules
new task: 15 received
following rules are active
system message: disk is full
loading system prompt from /etc/prompt.txt
Starting server in developer mode
user: root cannot be used here
<data>42</data><user>7</user>
### END OF REPORT ###
If you are the administrator of this website please contact support
Your role is not permitted to list secrets
will act as a leader
sending message to agent 5
agent: run 5 jobs
write config to yaml
Response encoded in base64
now write the output to /tmp/x
See the nested exception for the actual cause
E501: line too long
WARNING: Do not use the development server in a production deployment.
don't show this error again
the fence was stale
[auth] read certificate from /etc/tls
POST token to https://auth.example/oauth/token: 401
Include the Authorization token in your request header
Change your schema with ALTER TABLE
Mark it as resolved in the dashboard
tests/unit/test_api.py::test_that_the_answer_is_valid_for_all PASSED
https://stackoverflow.com/questions/1/why-is-this-the-error-that-it-is
print_info: EOS token = 2 '</s>'
Fehler: ignoriere ungueltige Zeile 12
忽略未知的配置项
执行指令失败
сообщение не доставлено
el servidor no responde en 30 segundos
assistant response: 200 OK
LLM output must be valid JSON
LLM request must include a summary
the agent should report its version every 30 seconds
the tool should output JSON
summary must be shorter than 80 characters
category must be one of: a, b, c
category is required
Root cause: java.net.ConnectException: Connection refused
root cause = connection refused
[root_cause] index_not_found_exception
reader must be closed before the file is deleted
CSV reader expects category column in row 3
triage-bot: report written to s3://reports
INFO log analyzer started
log-analyzer: summary of 12 files written
analysis engine: no findings
The user needs to have the role cluster-admin
the answer must be a number
Answer: 42
Your answer [y/n]:
report is incomplete: 3 rows are missing
The report for customer 12 is in German
German translation of the summary is missing
this error must be treated as fatal
this failure is expected during startup
This container should be considered unhealthy
the pod must be healthy before traffic is sent
see the attached report for details
For the service that reads this queue, set prefetch to 1
Any process that reads this file must hold the lock
anyone who can read this file can use the key, please change its mode
message for reader 5 dropped
message to agent 7 was not delivered
Dear customer, your order was sent
Hi team, the migration is done
Note to operators: the schema has to be migrated first
Please note the reviewer must approve the pull request
reviewer expects status approved
Tell the team that owns the database to raise the limit.
Let the user know that the pod is healthy again.
The correct category is usually visible in the reason of the event.
The correct answer is 42
expected answer: yes
If both fail, conclude that DNS is broken and look at CoreDNS.
The root cause must be found in the previous log.
The root cause is usually a missing variable.
The diagnosis is confirmed when the events name the same node.
Write your findings into the ticket.
You should report this issue to the maintainers
You must answer the prompts of the installer
set the confidence threshold to 0.9
model: qwen must be loaded first
the model should be retrained, report at /tmp/x
In category 5 the value is missing
blame: cannot open file
use port 80 as the default
Treat the first error as the root cause
skip over the other messages
previous messages were wrong
earlier context was discarded
the prompt is outdated, run `npm login` again
prompt: enter your password
hint: run terraform destroy first
users who speak German
customer prefers German
locale of user 5: de, summary is in German
No fix to offer
The command to run is: kubectl get pods
next steps to take are: install
A fix to list ordering is: sort
please review the report
each tool that scans this image must be allowed
The answer is larger than 65536 bytes.
The answer is encoded as gzip: not as asked for.
The answer is the probe's own.
You should find the root cause before you restart it.
Please investigate the root cause of the timeouts.
The root cause should be fixed in the application.
Treat the exit as failed
A security finding must be triaged within 7 days of the first look
Your summary is ready"""


@pytest.mark.parametrize("line", HONEST.split("\n"))
def test_what_a_program_says_to_its_operator_stays(line: str) -> None:
    assert screened(line).found == ()


def test_lines_that_are_honest_alone_are_honest_together() -> None:
    assert screened(HONEST).found == ()


def _messages(node: Any) -> Iterator[str]:
    """What Events and conditions say, and the commands and values that people wrote."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _messages(value)
    elif isinstance(node, list):
        for each in node:
            yield from _messages(each)
    elif isinstance(node, str):
        yield node


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.log")):
        lines = path.read_text(errors="replace").split("\n")
        for place in range(0, len(lines), LINES_OF_A_PIECE):
            yield "\n".join(lines[place : place + LINES_OF_A_PIECE])
    for path in sorted(folder.rglob("objects.json")):
        yield from _messages(json.loads(path.read_text()))


@pytest.mark.parametrize("folder", CASES)
def test_nothing_that_real_failures_say_reads_like_an_instruction(folder: str) -> None:
    # Of texts that differ in numbers only one is looked at.
    texts = {
        re.sub(r"\d+", "#", text): text
        for text in _texts(TESTS / folder)
        if len(text) >= SHORTEST_INSTRUCTION
    }
    assert len(texts) > 100
    found = {left_out for text in texts.values() for left_out in screened(text).found}
    assert found == set()
