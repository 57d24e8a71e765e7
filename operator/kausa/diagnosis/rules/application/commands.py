"""Commands: unknown, with wrong arguments, not executable, or built for another machine."""

from __future__ import annotations

import re

from kausa.diagnosis.rules.application.idea import PATH, Idea, Told, any_of, never_with
from kausa.diagnosis.rules.application.typos import likely_command
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category

__all__ = ["COMMAND_IDEAS"]

_LONGEST_TRACE = 6000
_TRACEBACK = "Traceback (most recent call last)"
_RUNS = re.compile(
    r"\bsubprocess\b|_execute_child|\bos\.(?:exec|spawn)|posix_spawn|pexpect|\bPopen\b"
)
_COMMAND = rf"(?P<file>{PATH}|[\w.+@-]{{1,100}})"


def _typo(told: Told, dossier: Dossier) -> Told | None:
    """The command that was meant, where one differs by a letter or two; None: it is no command."""
    name = told.get("file", "")
    if not _was_run(name, dossier):
        return None
    return {**told, "meant": likely_command(name)}


def _was_run(name: str, dossier: Dossier) -> bool:
    """Python complains in the same words of a file that it opens; the traceback tells them apart.

    Without one a name with a dot or a slash is a file: commands mostly have neither.
    """
    complaint = f"No such file or directory: '{name}'"
    for log in dossier.logs:
        for text in (log.text, *(each.text for each in log.entries)):
            before, found, _ = text.partition(complaint)
            if not found:
                continue
            _, traced, frames = before[-_LONGEST_TRACE:].rpartition(_TRACEBACK)
            if traced:
                return _RUNS.search(frames) is not None
            return not set(name) & set("./")
    return True


COMMAND_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.architecture",
        category=Category.CRASH_LOOP,
        look=any_of(
            rf"(?:{_COMMAND}:? )?(?:cannot execute binary file(?:: )?)?exec format error",
            rf"{_COMMAND}: cannot execute binary file",
            r"(?P<file>)rosetta error: failed to open elf",
        ),
        summary="container {container} runs a program for another CPU architecture: exec format "
        "error",
        cause="The program<< {file}>> of container {container} (image {image}) is built for "
        "another architecture than the node's, or has no valid first line: exec format error.",
        explanation="An image of amd64 does not run on arm64 and the reverse; a script without #! "
        "at its beginning gives the same error.",
        advice="Build the image for the node's architecture, or choose nodes with "
        "kubernetes.io/arch",
        command="kubectl get nodes -L kubernetes.io/arch",
        confidence=95,
    ),
    Idea(
        rule="application.command-not-found",
        category=Category.CRASH_LOOP,
        look=never_with(
            any_of(
                rf"(?:line \d{{1,6}}|\bsh|\bbash|\bash|\bdash|\d{{1,5}}): {_COMMAND}: (?:command "
                rf")?not found",
                rf"{_COMMAND}: command not found",
                rf"exec: \"?{_COMMAND}\"?: (?:executable file not found|not found|no such file)",
                rf"exec {_COMMAND}: no such file or directory",
                rf"command {_COMMAND} not found",
                rf"env: [\u2018'\"]?{_COMMAND}[\u2019'\"]?: No such file or directory",
                rf"spawn {_COMMAND} ENOENT",
                r"No such file or directory: '(?P<file>[\w./+-]{1,200})'$",
            ),
            r"unknown command",
        ),
        summary="container {container} runs the command {file}, which is not found<< (perhaps "
        "{meant} is meant)>>",
        cause="Container {container} calls the command {file}, which does not exist in the image "
        "{image}: not found.<< Perhaps {meant} is meant.>>",
        explanation="The image does not have the program, it is not in PATH, or the name is "
        "misspelt; a script with Windows line ends gives the same error.",
        advice="Correct the command, or use an image that has {file}",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=92,
        complete=_typo,
    ),
    Idea(
        rule="application.argument-unknown",
        category=Category.CRASH_LOOP,
        look=any_of(
            r"(?:flag provided but not defined|unknown (?:shorthand )?flag|unknown option|"
            r"unrecognized (?:option|arguments?|flag)|unrecognised option|invalid option|illegal "
            r"option|unknown argument|unexpected argument|unknown command|invalid argument|no "
            r"such option|unknown parameter|unknown subcommand|unrecognized (?:VM )?option|bad "
            r"option)s?(?: --)?[:=]? ?[\"'`-]{0,3}(?P<argument>[\w.=/:-]{1,100})",
            r"error: (?P<argument>)the following arguments are required: ",
            r"(?P<argument>)(?:^|\n)\s{0,8}usage: .{1,200}(?:\n.{0,200}){0,4}\n?.{0,60}\berror\b",
            r"(?:missing|requires) (?:required )?(?:argument|flag|"
            r"option)s?(?:\(s\))?[: ]{1,2}[\"'`]?(?P<argument>[\w.<>-]{2,100})",
            r"required (?:flag|option)(?:\(s\)|s)? [\"'`]?(?P<argument>[\w, .-]{1,100})[\"'`]? "
            r"not (?:set|given)",
        ),
        summary="container {container} is started with arguments that it does not know<<: "
        "{argument}>>",
        cause="The program in container {container} does not accept its arguments<<: {argument} "
        "is unknown, invalid or missing>> (its command line is wrong).",
        explanation="The arguments in the Pod do not fit the version of the program in the image.",
        advice="Correct command and args of the container",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=88,
    ),
)
