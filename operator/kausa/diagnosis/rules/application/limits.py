"""What runs out or is taken: ports, disk, open files, watches, processes, connections."""

from __future__ import annotations

from kausa.diagnosis.rules.application.idea import PATH, PORT_MARK, Idea, any_of
from kausa.resources.category import Category

__all__ = ["LIMIT_IDEAS"]

LIMIT_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.port-in-use",
        category=Category.CRASH_LOOP,
        look=any_of(
            rf"(?:bind|listen|address|port|EADDRINUSE)\b.{{0,120}}?{PORT_MARK}"
            r"(?P<port>\d{1,5})\b.{0,80}?(?:address (?:is )?already in use|already in use|"
            r"EADDRINUSE|only one usage)",
            r"(?:address already in use|EADDRINUSE|errno 98|os error 98)\b.{0,60}?"
            rf"(?:{PORT_MARK}|\()(?P<port>\d{{2,5}})\b(?!:\d)",
            r"\bport[: ]{1,2}(?P<port>\d{1,5}) (?:is |was )?(?:already )?(?:in use|taken|"
            r"allocated|being used)",
            r"(?P<port>)address already in use|EADDRINUSE|java\.net\.BindException: Address",
        ),
        summary="container {container} cannot listen on port<< {port}>>: address already in use",
        cause="The program in container {container} cannot bind port<< {port}>>: address already "
        "in use by another process of the Pod or, with hostNetwork, of the node.",
        explanation="All containers of a Pod share one network, so each port can be used once.",
        advice="Let one of the programs listen on another port",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=92,
    ),
    Idea(
        rule="application.disk-full",
        category=Category.STORAGE,
        look=any_of(
            rf"(?P<file>{PATH}).{{0,60}}?(?:no space left on device|ENOSPC|disk quota exceeded)",
            rf"(?:no space left on device|ENOSPC|disk quota exceeded).{{0,60}}?(?P<file>{PATH})",
            r"(?P<file>)no space left on device|ENOSPC|disk (?:is )?full|disk quota exceeded|"
            r"EDQUOT|out of disk space|insufficient disk space|not enough (?:disk )?space|"
            r"filesystem is full|flood[- ]stage disk watermark|could not extend file",
        ),
        summary="container {container} has no disk space left<< for {file}>>",
        cause="The program in container {container} cannot write<< {file}>>: no space left on "
        "device (the disk or volume is full).",
        explanation="The volume, an emptyDir with a limit, or the node's disk is full.",
        advice="Free space, or enlarge the volume",
        command="kubectl -n {namespace} get persistentvolumeclaims",
        confidence=92,
    ),
    Idea(
        rule="application.inotify-limit",
        category=Category.NODE,
        look=any_of(
            r"(?P<what>inotify)(?:_init|_add_watch)?\b.{0,80}?(?:too many open files|no space "
            r"left|limit)",
            r"(?:System limit for number of file watchers reached|too many (?P<what>inotify) "
            r"(?:watches|instances)|fsnotify watcher.{0,40}too many open files|user limit on "
            r".{0,40}?inotify)",
        ),
        summary="container {container} gets no more file watches: the node's inotify limit is "
        "reached",
        cause="The node's limit of inotify watches or instances (fs.inotify.max_user_*) is "
        "reached, so container {container} cannot watch its files.",
        explanation="The limit is shared by all programs of one user on the node.",
        advice="Raise fs.inotify.max_user_watches and max_user_instances on the node",
        confidence=92,
    ),
    Idea(
        rule="application.open-files",
        category=Category.CRASH_LOOP,
        look=any_of(
            r"(?P<why>too many open files|EMFILE|ENFILE|file descriptor(?:s)? (?:limit|exhausted)|"
            r"max file descriptors \[\d{1,9}\][^\n]{0,60}too low)"
        ),
        summary="container {container} has run out of file descriptors: {why}",
        cause="The program in container {container} has used up its file descriptors: {why}.",
        explanation="It opens files or connections without closing them, or its limit (ulimit -n) "
        "is too low for what it does.",
        advice="Find what is not closed, or raise the limit of open files",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=92,
    ),
    Idea(
        rule="application.processes",
        category=Category.CRASH_LOOP,
        look=any_of(
            r"(?P<why>unable to create (?:new )?native thread|can't start new thread|"
            r"pthread_create failed[^\n]{0,60}|fork: (?:retry: )?resource temporarily unavailable|"
            r"cannot fork|failed to create new OS thread|Resource temporarily "
            r"unavailable.{0,30}fork|fork: Cannot allocate memory|too many processes|newosproc)"
        ),
        summary="container {container} cannot start another thread or process: {why}",
        cause="Container {container} has reached its limit of processes and threads (PIDs) or of "
        "memory for them: {why}.",
        explanation="The kubelet limits the number of processes of a Pod (podPidsLimit), and each "
        "thread counts.",
        advice="Let the program use fewer threads, or raise the limit of PIDs",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=90,
    ),
    Idea(
        rule="application.kernel-setting",
        category=Category.NODE,
        look=any_of(
            r"max virtual memory areas (?P<setting>vm\.max_map_count) \[(?P<value>\d{1,9})\] is "
            r"too low",
            r"(?P<setting>(?:net|vm|kernel|fs)\.[\w.]{2,60}) (?:must be|is set to|is too "
            r"low)[^\n]{0,80}",
        ),
        summary="container {container} needs a higher {setting} on its node<< (now {value})>>",
        cause="The kernel setting {setting} of the node<< is {value} and>> is too low for "
        "container {container}.",
        explanation="It is a setting of the node, which the Pod cannot change by itself.",
        advice="Raise {setting} on the node, such as by a privileged init container",
        confidence=90,
    ),
    Idea(
        rule="application.connections",
        category=Category.DEPENDENCY,
        look=any_of(
            r"(?P<why>too many (?:clients already|connections)|remaining connection slots are "
            r"reserved|max(?:imum)? number of (?:clients|connections)[^\n]{0,40}reached|"
            r"connection pool (?:is )?(?:exhausted|full)[^\n]{0,60}|(?:timed? ?out|"
            r"timeout)[^\n]{0,40}(?:acquir|obtain|wait|"
            r"get)\w{0,4}[^\n]{0,40}connection[^\n]{0,30}|QueuePool limit[^\n]{0,60}|Connection "
            r"is not available, request timed out after \d{1,9} ?ms|"
            r"connection[^\n]{0,40}pool[^\n]{0,40}(?:time ?out|timed out|"
            r"exhaust\w{1,4})[^\n]{0,40})"
        ),
        summary="container {container} gets no database connection: {why}",
        cause="All connections (of the pool or of the database server) are in use: {why}.",
        explanation="More is asked of the database than it or the pool allows, or connections are "
        "not given back.",
        advice="Find connections that are not closed, or raise the limits of pool and server",
        confidence=89,
    ),
)
