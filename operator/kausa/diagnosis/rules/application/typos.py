"""Which command was meant: the nearest known one by the number of letters that differ."""

from __future__ import annotations

__all__ = ["distance", "likely_command"]

_KNOWN = (
    "apt-get", "awk", "bash", "busybox", "bundle", "caddy", "cargo", "cat", "celery", "chmod",
    "chown", "composer", "cp", "curl", "date", "dotnet", "echo", "elasticsearch", "envoy", "env",
    "envsubst", "false", "find", "flask", "gin", "git", "go", "gradle", "grep", "gunicorn",
    "gzip", "haproxy", "head", "helm", "hostname", "httpd", "id", "java", "kill", "kubectl", "ls",
    "make", "mkdir", "mongod", "mount", "mv", "mvn", "mysql", "mysqld", "nc", "nginx", "node",
    "nodejs", "npm", "npx", "nslookup", "openssl", "perl", "php", "php-fpm", "ping", "pip",
    "pip3", "pnpm", "postgres", "printf", "prometheus", "psql", "pwd", "python", "python3",
    "rabbitmq-server", "rails", "rake", "redis-cli", "redis-server", "rm", "ruby", "sed", "sh",
    "sleep", "sort", "ssh", "sshd", "stress", "stress-ng", "supervisord", "tail", "tar", "tee",
    "test", "timeout", "tini", "top", "touch", "true", "ts-node", "uvicorn", "uwsgi", "vault",
    "wait", "wget", "which", "whoami", "xargs", "yarn", "yes",
)  # fmt: skip
_LONGEST = 40


def likely_command(name: str) -> str:
    """A known command that differs by one letter, or by two in a long name; else empty."""
    word = name.rpartition("/")[2].lower()
    if len(word) < 2 or len(word) > _LONGEST or word in _KNOWN:
        return ""
    allowed = 1 if len(word) <= 4 else 2
    near = min(_KNOWN, key=lambda each: (distance(word, each), abs(len(each) - len(word)), each))
    return near if distance(word, near) <= allowed and near[0] == word[0] else ""


def distance(one: str, other: str) -> int:
    """How many letters are to be put in, taken out, changed, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        now = [i]
        for j, b in enumerate(other, start=1):
            cost = min(row[j] + 1, now[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            now.append(cost)
        before, row = row, now
    return row[-1]
