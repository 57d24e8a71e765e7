"""Faults of the program itself: crashes in native code, assertions, exceptions nobody caught."""

from __future__ import annotations

import re

from kausa.diagnosis.rules.application.idea import Idea, any_of, never_with
from kausa.resources.category import Category

__all__ = ["FAULT_IDEAS"]

_FAULT = "The fault is in the program itself, or in what it was given; the trace tells where."
_AT = (
    r"(?:[^\0]{0,200}?\n\s{0,8}(?:at |File \"|from )(?P<frame>(?!java\.|jdk\.|sun\.|node:|"
    r"org\.springframework)[^\n]{1,100}))?"
)

FAULT_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.programming-error",
        category=Category.CRASH_LOOP,
        look=any_of(
            rf"(?P<what>(?:java\.lang\.)?(?:NullPointerException|IndexOutOfBoundsException|"
            rf"ArrayIndexOutOfBoundsException|ClassCastException|StackOverflowError|"
            rf"ArithmeticException)(?:: [^\n]{{1,140}})?){_AT}",
            r"(?P<what>panic: runtime error: [^\n]{1,140}|panic: assignment to entry in nil map|"
            r"fatal error: all goroutines are asleep[^\n]{0,40}|fatal error: concurrent map "
            r"[^\n]{1,40})(?P<frame>)",
            rf"(?P<what>TypeError: (?:Cannot read propert|Cannot destructure|undefined is not|"
            rf"[^\n]{{1,60}} is not a function|unsupported operand|'NoneType'|object of type|"
            rf"[^\n]{{1,80}}argument)[^\n]{{0,140}}){_AT}",
            r"(?P<what>(?:AttributeError|IndexError|ZeroDivisionError|NameError|UnboundLocalError|"
            r"RecursionError|AssertionError|ReferenceError|RangeError|NoMethodError|"
            r"NullReferenceException|Object reference not set)\b[^\n]{0,140})(?P<frame>)",
            r"(?P<what>thread '[^'\n]{1,60}' panicked at "
            r"[^\n]{1,160}(?:\n[^\n]{1,140})?)(?P<frame>)",
            r"(?P<what>assertion [^\n]{0,100}failed[^\n]{0,60}|Assertion "
            r"failed[^\n]{0,120})(?P<frame>)",
            flags=re.NOFLAG,
        ),
        summary="container {container} ends with an error in its program: {what}",
        cause="The program in container {container} has an error that nobody catches: {what}.<< "
        "It comes from {frame}.>>",
        explanation=_FAULT,
        advice="Mend the program, or return to the version before",
        confidence=86,
    ),
    Idea(
        rule="application.native-crash",
        category=Category.CRASH_LOOP,
        look=any_of(
            r"(?P<what>segmentation fault[^\n]{0,60}|SIGSEGV[^\n]{0,80}|SIGABRT[^\n]{0,60}|"
            r"SIGBUS[^\n]{0,60}|SIGILL[^\n]{0,60}|illegal instruction[^\n]{0,60}|bus "
            r"error[^\n]{0,40}|core dumped|double free or corruption[^\n]{0,40}|stack smashing "
            r"detected|terminate called (?:after|without)[^\n]{0,100}|fatal error has been "
            r"detected by the Java Runtime)"
        ),
        summary="container {container} crashes in native code: {what}",
        cause="The program in container {container} crashes in native code: {what}.",
        explanation="A fault in memory, or an instruction that the node's processor does not have.",
        advice="Look into a core dump, or return to the version before",
        confidence=86,
    ),
    Idea(
        rule="application.leader-lost",
        category=Category.CONTROL_PLANE,
        look=any_of(
            r"(?P<what>leader ?election lost|lost (?:the )?(?:lease|leadership|leader "
            r"election)[^\n]{0,60}|failed to renew lease \S{1,200}[^\n]{0,80}|stopped "
            r"leading[^\n]{0,40}|leader lost the lease)"
        ),
        summary="container {container} lost its leader election and ends: {what}",
        cause="The program in container {container} could not renew its lease in time, lost the "
        "leader election and ended itself: {what}.",
        explanation="Another becomes leader. It happens when the API server answers too slowly, "
        "or the program gets too little CPU.",
        advice="Check the API server's latency and the CPU limit of the container",
        command="kubectl -n {namespace} get leases",
        confidence=88,
    ),
    Idea(
        rule="application.licence",
        category=Category.CONFIG,
        look=any_of(
            r"(?P<what>(?:licen[sc]e|subscription|trial)(?: key| file| period)? (?:has |is |was |"
            r"have )?(?:been )?(?:expired|invalid|not found|missing|not valid|required|"
            r"exceeded)[^\n]{0,80}|(?:invalid|expired|missing|no valid) licen[sc]e[^\n]{0,80})"
        ),
        summary="container {container} has no valid licence: {what}",
        cause="The program in container {container} does not run without a valid licence: {what}.",
        explanation="The licence has expired, is missing, or is for something else.",
        advice="Renew the licence and give it to the container",
        confidence=91,
    ),
    Idea(
        rule="application.exception",
        category=None,
        look=never_with(
            any_of(
                r"\b(?P<what>(?:[\w$]{1,60}\.){0,12}[A-Z]\w{1,80}(?:Error|Exception|Failure|Fault|"
                r"Panic)"
                r"(?:: [^\n]{1,200})?)" + _AT,
                r"(?P<what>panic: [^\n]{1,200})(?P<frame>)",
                r"(?P<what>(?:Uncaught|Unhandled) [^\n]{1,200})(?P<frame>)",
                flags=re.NOFLAG,
            ),
        ),
        summary="container {container} ends with an unhandled error: {what}",
        cause="The program in container {container} ends because nobody handles {what}.<< It "
        "comes from {frame}.>>",
        explanation=_FAULT,
        advice="Read the whole log around the error",
        command="kubectl -n {namespace} logs {pod} -c {container} --previous",
        confidence=80,
        weak=True,
    ),
)
