r"""How programs write the names of files: paths, bare names with several dots, quoted with spaces.

A name is caught whole or not at all: of `config.prod.yaml` the end is another file, which nobody
needs. A name without a slash is told from a word by its dots: something behind the last one, such
as `.yaml`, or one in front, such as `.env.local`. One with spaces must be quoted, and the quotes
must not be those of data that holds the whole sentence, such as `{"msg": "..."}`.
"""

from __future__ import annotations

from typing import Final

from kausa.diagnosis.rules.application.idea import PATH
from kausa.evidence.host_port import FILE_ENDINGS

__all__ = ["FILE", "PLAIN_FILE", "QUOTE"]

QUOTE: Final = r"(?:\\?[\"'`]|[\u2018\u2019\u201c\u201d])?"
"""What may stand around a name; inside of data it is escaped."""
_BEGINS: Final = r"(?<![\w./\\~@+-])"
_ENDS: Final = r"(?![\w@~+-]|\.\w|[/\\]\w)"
_OPENED: Final = (
    r"(?:(?<=[\s(=\[]['`\"])|(?<=^['`\"])|(?<=[\u2018\u201c])|(?<=\\\"))(?<!\": \")(?<!\":\")"
)
_SPACED: Final = (
    rf"{_OPENED}(?=[^\"'`\n\u2019\u201d]{{0,200}}?[ ])(?:[A-Za-z]:)?[\w./\\~@+(-]"
    r"[^\"'`\n:*?<>|\u2018\u2019\u201c\u201d]{0,200}(?:[/\\][^\"'`\n:*?<>|\u2019\u201d]{1,100}|"
    r"\.[A-Za-z]\w{0,9})(?=\\?[\"'`\u2019\u201d])"
)
_WINDOWS: Final = (
    rf"{_BEGINS}(?:[A-Za-z]:\\{{1,2}}|\\{{2,4}})(?:[\w.@+~$()-]{{1,100}}\\{{1,2}}){{0,20}}"
    rf"[\w@+~$()-][\w.@+~$()-]{{0,100}}(?<!\.)"
)
_HIDDEN: Final = r"\.[A-Za-z_][\w@+~-]{0,60}(?:\.[\w@+~-]{1,60}){0,6}"
_KNOWN: Final = (
    rf"[\w@+~-]{{1,100}}(?:\.[\w@+~-]{{1,60}}){{0,8}}\.(?:{FILE_ENDINGS}|ico|png|jpe?g|svg|gif|pdf|"
    r"gz|tgz|zip|tar|bz2|xz|zst|db|sqlite3?|dat|bin|tmp|pid|sock|war|ear|jks|p12|pfx|keystore|"
    r"truststore|avro|parquet|onnx|gguf|pt|wasm|j2|rules)"
)
_ROOTED: Final = (
    r"(?<!(?:GET|PUT|URL|url|API|api) )(?<!(?:POST|HEAD) )(?<!(?:PATCH|route|Route) )"
    rf"(?<!DELETE )(?<!OPTIONS )(?<!endpoint )(?=[./~]|[A-Za-z]:){PATH}"
)
_DOTTED: Final = r"[\w@+~-]{1,100}(?:\.[\w@+~-]{1,60}){0,8}\.[A-Za-z]\w{0,9}"
FILE: Final = rf"(?P<file>{_SPACED}|{PATH}|{_WINDOWS}|{_BEGINS}(?:{_HIDDEN}|{_DOTTED}){_ENDS})"
"""A file's name, where something around it says that it is one."""
PLAIN_FILE: Final = (
    rf"(?P<file>{_SPACED}|{_ROOTED}|{_WINDOWS}|(?:[\w.@+~-]{{1,100}}/){{1,20}}{_KNOWN}{_ENDS}|"
    rf"{_BEGINS}(?:{_HIDDEN}|{_KNOWN}){_ENDS})"
)
"""A name that can only be a file's: topics, users, classes and hosts have dots as well."""
