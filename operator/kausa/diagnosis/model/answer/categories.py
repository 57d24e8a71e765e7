"""Whether the evidence has a word for the category that a model chose.

A category is one word out of a closed list, so it has no names and numbers to look up. What it
stands for leaves words in the evidence, though; without one it was guessed or planted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kausa.resources.category import Category

__all__ = ["has_cue"]

_CUES: Final[Mapping[Category, str]] = {
    Category.IMAGE_PULL: r"imagepull|errimage|pull(?:ing)? image|manifest|registry|invalidimage",
    Category.CRASH_LOOP: r"crashloop|back-?off|exit(?:ed)?\b.*\d|restart|panic|fatal|exception|"
    r"traceback|segmentation|signal|stack|hook|exit",
    Category.OOM_KILLED: r"\boom|out ?of ?memory|\b137\b|memory|heap",
    Category.PROBE: r"probe|unhealthy|liveness|readiness|startup",
    Category.SCHEDULING: r"schedul|taint|affinity|insufficient|nodes? (?:are|is) available|"
    r"selector",
    Category.CONFIG: r"config|secret|\benv|variable|key|missing|argument|flag|option|setting|"
    r"executable|command|yaml|json|invalid|not found|no such file|required|unset|undefined|parse",
    Category.VOLUME: r"volume|mount|pvc|persistent|disk|read-only|no space|attach",
    Category.QUOTA: r"quota|exceeded|limitrange|forbidden",
    Category.ADMISSION: r"admission|webhook|denied|polic|podsecurity|forbidden|invalid",
    Category.EVICTION: r"evict|pressure|ephemeral|preempt|low on resource",
    Category.NODE: r"node ?(?:not)? ?ready|node.*(?:lost|unreachable|pressure|down|fail)|nodelost|"
    r"kubelet|not ?ready.*node|cordon|unreachable|read-only file|corrupt|host ?port|"
    r"bad superblock",
    Category.SANDBOX: r"sandbox|\bcni\b|containerd|runtime|network plugin",
    Category.NETWORK: r"connect|dns|no such host|lookup|timeout|timed out|unreachable|refused|"
    r"resolve|dial|tls|certificate|networkpolicy|network|socket|port|\bip\b|proxy|upstream|http",
    Category.PERMISSION: r"permission|forbidden|denied|unauthori[sz]ed|\b40[13]\b|"
    r"cannot (?:list|get|"
    r"create|watch|patch|update|delete)|rbac|serviceaccount|not allowed|credential|authenticat",
    Category.DEPENDENCY: r"connect|refused|unavailable|upstream|database|redis|postgres|mysql|"
    r"kafka|"
    r"timeout|timed out|no such host|\b50[0-4]\b|dependency|waiting for|broker|amqp|mongo|dial|"
    r"unreachable|authentication|certificate|schema|migrat|relation|ingress",
    Category.JOB: r"\bjob|deadline|backofflimit|cron",
    Category.ROLLOUT: r"rollout|progressdeadline|replicaset|revision|progressing|disruption|"
    r"update|unavailable",
    Category.AUTOSCALING: r"autoscal|\bhpa\b|metrics|scale",
    Category.SERVICE: r"service|endpoint|selector|ingress|targetport|port",
    Category.CONTROL_PLANE: r"apiserver|etcd|control ?plane|leader|scheduler|"
    r"controller-manager|webhook|conversion|api server",
    Category.STORAGE: r"storage|provision|persistentvolume|pvc|claim|csi|disk|no space|"
    r"file ?system|i/o error",
    Category.OTHER: r"",
}
_COMPILED: Final = {category: re.compile(cue) for category, cue in _CUES.items()}


def has_cue(category: Category, text: str) -> bool:
    """Whether text in lower case has a word that the category stands for."""
    return _COMPILED[category].search(text) is not None
