"""Which words of a sentence may be a program, an option, or English.

A program's name is no English word: that is how it is told without a list of programs. The few
that are both (`find`, `kill`, `docker`) are named here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kausa.diagnosis.model.answer.words import GENERIC, VOCABULARY, stem

__all__ = ["Word", "is_act", "is_finite", "is_program", "may_precede_option", "words_of"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FUNCTION: Final = _words(
    "a an the this that these those it its his her their your our my them they he she we you i and "
    "or but nor so if as at by for from in into of off on onto out over per than then to under up "
    "upon via with without within is are was were be been being am do does did done has have had "
    "can cannot could may might must shall should will would not no also again still yet only just "
    "because since while when where which who whose whom why how what whether until after before "
    "during between about against all any each every both either neither some more most less "
    "least few fewer many much such too very there here now once twice instead else other another "
    "same own as-is one two three"
)
_BEFORE_OPTION: Final = _FUNCTION | _words(
    "argument arguments args arg flag flags option options parameter parameters switch switches "
    "setting settings value variable like named called passes passed pass passing sets setting "
    "given gives add adds added adding remove removes removed removing drop drops dropped use uses "
    "used using needs require requires missing lacks lacking unknown invalid unsupported bad wrong "
    "unrecognized unrecognised misspelt misspelled undefined rejects rejected accepts accept "
    "expects expected correct change changes changed replace replaced spell says said reads read "
    "receives received gets got takes took knows know understand understands raise lower set "
    "increase decrease reduce heap suffix below above"
)
_PROGRAMS: Final = _words(
    "docker python java node kill find mount echo cat touch make cut service reboot shutdown halt "
    "sort head tail test watch split host ping top date env time link install export kubeconfig "
    "unset eval source move copy truncate drop delete alter update insert grant vacuum flush write "
    "dump pip route script logger stat sync free file patch timeout view strings qdrant etcd kopf "
    "format purge nohup exec sh bash k kind init parted revoke truncate"
)
"""English, or words of our own texts, and names of programs or statements."""
_ACTS: Final = frozenset(
    stem(word)
    for word in _words(
        "apply push install upgrade rollback exec run create set update edit patch replace import "
        "restore migrate rebase checkout merge init start restart add delete remove drop destroy "
        "erase purge prune wipe kill stop disable drain cordon evict truncate flush clear reset "
        "force overwrite uninstall terminate revoke detach shutdown format clean commit load exit "
        "rebuild scale reboot pause cancel resume eval rm rmi del put write"
    )
)
_HARM_AT_FIRST: Final = ("kill", "wipe", "purge", "erase", "delete", "remove", "destroy", "drop")
_AUXILIARIES: Final = _words(
    "is are was were be been being am do does did has have had can cannot could may might must "
    "shall should will would isn't wasn't doesn't didn't can't couldn't won't went ran kept left "
    "lost found got began broke sent ran fell hung"
)
_PROGRAM: Final = re.compile(r"(?:\.{0,2}/)?[a-z][a-z0-9]*(?:[._+/-][a-z0-9]+)*")
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9'_-]*")
_FILE: Final = re.compile(r"[\w-]+\.(?:sh|py|pl|rb|js|ya?ml|sql|tf|tar|t?gz|zip|bin|exe|ps1)")
_OPTION: Final = re.compile(r"--?[A-Za-z][\w.-]*(?:=.*)?|-\d{1,2}|--")
_SETTING: Final = re.compile(r"[a-z][a-z0-9_-]*=\S+")
_PLACE: Final = re.compile(r"\.{0,2}/\S*|[a-z][a-z0-9+]*://\S+")
_OPERATORS: Final = _words("| || && >> << > < |& &> 2> 2>&1 ; &")
_SUBSTITUTES: Final = re.compile(r"\$\(|(?:^|[^\w\s])[|&][^\w\s]")
_SCRIPT: Final = re.compile(r"\./\S+|/?[\w-]+(?:/[\w-]+)*\.(?:sh|bash|ps1|bat)")
_METHOD: Final = re.compile(r"[\"'`(]*[a-z_]\w*(?:\.\w+)+\([^()]*\)")
_EDGE: Final = "\"'`()[]{}<>,;:!?\u201c\u201d\u2018\u2019*"
_ENDS: Final = ".,;:!?"
_PIECE: Final = re.compile(r"[._+/-]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a sentence."""

    raw: str
    text: str
    """Without the marks around it."""
    opens_quote: bool
    end: str
    """The mark that ends a clause behind it, or nothing."""

    @property
    def is_option(self) -> bool:
        """`-x` or `--xyz`, perhaps with its value."""
        return _OPTION.fullmatch(self.text) is not None

    @property
    def is_setting(self) -> bool:
        """`a=b`."""
        return _SETTING.fullmatch(self.text) is not None

    @property
    def is_place(self) -> bool:
        """A path or an address."""
        return len(self.text) > 0 and _PLACE.fullmatch(self.text) is not None

    @property
    def is_operator(self) -> bool:
        """What a shell reads: a pipe, a redirection, a substitution."""
        return self.raw in _OPERATORS or _SUBSTITUTES.search(self.raw) is not None

    @property
    def is_script(self) -> bool:
        """A file that is a program, or a method that is called."""
        return bool(_SCRIPT.fullmatch(self.text) or _METHOD.match(self.raw))

    @property
    def is_plain(self) -> bool:
        """A word of lower case, as a subcommand is."""
        return _WORD.fullmatch(self.text) is not None and not self.is_function

    @property
    def is_function(self) -> bool:
        """A word of grammar, which no command begins with."""
        return self.text.casefold() in _FUNCTION


def words_of(text: str) -> tuple[Word, ...]:
    """Take a sentence apart at its spaces."""
    return tuple(_word(raw) for raw in text.split())


def _word(raw: str) -> Word:
    bare = raw.strip(_EDGE).rstrip(_ENDS + _EDGE) or (raw if raw in _OPERATORS else "")
    if raw.startswith(("\u2013", "\u2014")) and raw[1:2].isalnum():
        bare = f"--{bare[1:]}"
    last = raw.rstrip("\"'`)]}\u201d\u2019")[-1:]
    dash = raw in ("-", "\u2013", "\u2014", "--")
    return Word(
        raw=raw,
        text=bare,
        opens_quote=raw[:1] in "\"'`\u201c\u2018" and len(bare) > 0,
        end=last if last in _ENDS else ("-" if dash else ""),
    )


def is_english(text: str, names: frozenset[str]) -> bool:
    """Whether it is a word of English, or put together from such, or the name of what exists."""
    low = text.casefold()
    if low in names or low in _FUNCTION:
        return True
    return all(
        stem(each) in VOCABULARY or stem(each) in GENERIC or each.isdigit()
        for each in _PIECE.split(low)
    )


def is_program(word: Word, names: frozenset[str]) -> bool:
    """Whether a command may begin with it."""
    text = word.text
    if text in _PROGRAMS or (text.isupper() and text.casefold() in _PROGRAMS):
        return True
    return _PROGRAM.fullmatch(text) is not None and not is_english(text, names)


def names_harm(word: Word) -> bool:
    """Whether a program's own name says what it does: `killall`, `wipefs`."""
    return word.text.startswith(_HARM_AT_FIRST)


def is_known_program(word: Word) -> bool:
    """Whether it is both English and a program."""
    return word.text.casefold() in _PROGRAMS


def is_act(word: Word, names: frozenset[str]) -> bool:
    """Whether a program may be told so to do something: `drop`, `flushall`."""
    if _FILE.fullmatch(word.text):
        return True
    if not word.is_plain or word.text in names:
        return False
    return stem(word.text) in _ACTS or not is_english(word.text, names)


def is_finite(word: Word) -> bool:
    """Whether it is a verb that tells something of what stands before it, or looks like one."""
    low = word.text.casefold()
    return is_past(word) or (
        len(low) > 3 and low.isalpha() and low.endswith("s") and not low.endswith("ss")
    )


def is_past(word: Word) -> bool:
    """Whether it is such a verb that looks like no plural."""
    low = word.text.casefold()
    return low in _AUXILIARIES or (len(low) > 3 and low.isalpha() and low.endswith("ed"))


def may_precede_option(word: Word) -> bool:
    """Whether an option may stand behind it in a sentence that is no command."""
    return word.text.casefold() in _BEFORE_OPTION or not word.text[:1].islower()
