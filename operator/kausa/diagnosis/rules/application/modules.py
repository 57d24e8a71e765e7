"""Parts of the program that are not in the image: modules, classes, libraries, gems, assemblies."""

from __future__ import annotations

import re

from kausa.diagnosis.rules.application.idea import Idea, any_of
from kausa.resources.category import Category

__all__ = ["MODULE_IDEAS"]

_Q = r"[\"'`\u2018\u2019\u201c\u201d]?"

MODULE_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.java-version",
        category=Category.CRASH_LOOP,
        look=any_of(
            r"UnsupportedClassVersionError: (?P<module>[\w/.$]{1,200}) has been compiled by a "
            r"more recent version of the Java Runtime \((?P<needs>[^)]{1,80})\)(?:[^\n]{0,80}?up "
            r"to (?P<has>[\d.]{1,20}))?",
            r"(?P<module>)UnsupportedClassVersionError[^\n]{0,200}",
        ),
        summary="container {container} has an older Java than its program was compiled for<< "
        "({needs})>>",
        cause="The class {module} in container {container} needs a newer Java runtime<<: "
        "{needs}>><<, while the image's recognises up to {has}>> "
        "(UnsupportedClassVersionError).",
        explanation="Class file version 52 is Java 8, 55 is 11, 61 is 17, 65 is 21.",
        advice="Use a base image with a newer Java, or compile for the older one",
        confidence=95,
    ),
    Idea(
        rule="application.library-missing",
        category=Category.CRASH_LOOP,
        look=any_of(
            r"(?P<module>lib[\w.+-]{1,100}): cannot open shared object file",
            r"error while loading shared libraries: (?P<module>[\w./+-]{1,160})",
            r"version [`'\"](?P<module>(?:GLIBC|GLIBCXX|CXXABI|OPENSSL)_[\w.]{1,20})['\"`] not "
            r"found",
            r"Error loading shared library (?P<module>[\w./+-]{1,160})",
            r"Error relocating [^\n:]{1,160}: (?P<module>[\w./+-]{1,120}): symbol not found",
            r"(?P<module>[\w./+-]{1,160}): undefined symbol",
            r"Unable to load (?:shared library|DLL) ['\"](?P<module>[\w./+-]{1,160})['\"]",
            r"UnsatisfiedLinkError:(?: no)? (?P<module>[\w./+-]{1,160})",
            r"Library not loaded: (?P<module>[\w./@+-]{1,160})",
            flags=re.NOFLAG,
        ),
        summary="container {container} lacks the shared library {module}",
        cause="The shared library {module}, which the program in container {container} was linked "
        "against, is missing in image {image} or too old.",
        explanation="The program was built on a system with other libraries, such as glibc and "
        "the image has musl, or a newer glibc.",
        advice="Install the library in the image, or build on the image's base",
        confidence=93,
    ),
    Idea(
        rule="application.module-missing",
        category=Category.CRASH_LOOP,
        look=any_of(
            rf"(?:ModuleNotFoundError|ImportError): No module "
            rf"named {_Q}(?P<module>[\w.-]{{1,120}})",
            rf"ImportError: cannot import name {_Q}(?P<module>[\w.-]{{1,120}})",
            rf"Cannot find (?:module|package) {_Q}(?P<module>[@\w.-][@\w./-]{{0,120}})",
            r"(?:NoClassDefFoundError|ClassNotFoundException):(?: Could not initialize class)? "
            r"(?P<module>[\w.$/]{1,200})",
            r"Could not find or load main class (?P<module>[\w.$/]{1,200})",
            r"(?:NoSuchMethodError|NoSuchFieldError|AbstractMethodError): (?P<module>[^\n]{1,160})",
            r"cannot load such file -- (?P<module>[\w./-]{1,120})",
            rf"Could not find (?:gem )?{_Q}(?P<module>[\w.-]{{1,80}}){_Q}[^\n]{{0,40}} in (?:any|"
            rf"locally|rubygems)",
            rf"Could not load file or assembly {_Q}(?P<module>[\w.-]{{1,120}})",
            rf"plugin\.Open\({_Q}(?P<module>[\w./-]{{1,160}})",
            r"no main manifest attribute, in (?P<module>[\w./-]{1,160})",
            r"Class ['\"](?P<module>[\w\\]{1,160})['\"] not found",
            r"Can't locate (?P<module>[\w/]{1,120}\.pm) in @INC",
            r"Error: Cannot find module (?P<module>[\w./-]{1,120})",
            r"package (?P<module>[\w./-]{1,120}) is not in (?:GOROOT|std)",
            r"there is no package called [\u2018'\"](?P<module>[\w.]{1,80})",
            r"missing script: (?P<module>[\w:.-]{1,80})",
            r"(?P<module>vendor/autoload\.php)",
            flags=re.NOFLAG,
        ),
        summary="container {container} lacks the module or class {module}",
        cause="The program in container {container} cannot load {module}: the module, package or "
        "class is missing (not found) in image {image}.",
        explanation="It was not installed when the image was built, its version differs, or the "
        "working folder or search path is wrong.",
        advice="Add {module} to the image's dependencies, or correct its name",
        confidence=93,
    ),
)
