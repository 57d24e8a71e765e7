"""Code and configuration that cannot be parsed, with the file and line where they are told."""

from __future__ import annotations

from kausa.diagnosis.rules.application.file_names import FILE as _FILE
from kausa.diagnosis.rules.application.idea import Idea, any_of
from kausa.resources.category import Category

__all__ = ["SYNTAX_IDEAS"]

SYNTAX_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.configuration-syntax",
        category=Category.CONFIG,
        look=any_of(
            rf"\[emerg\] (?:\d{{1,9}}#\d{{1,9}}: )?(?P<why>(?!host not found|bind\(|open\(|"
            rf"mkdir\(|cannot load)[^\n]{{1,120}}?) in {_FILE}:(?P<line>\d{{1,7}})",
            r"(?P<why>yaml: (?:line (?P<line>\d{1,7}): )?[^\n]{1,120}|error converting "
            r"YAML[^\n]{1,100}|mapping values are not allowed[^\n]{0,60}|did not find expected "
            r"[^\n]{1,60}|found character '\\t'[^\n]{0,60}|could not find expected ':'|found "
            r"undefined alias[^\n]{0,40})",
            r"(?P<why>invalid character '[^\n]{1,6}' (?:looking for|after|in)[^\n]{1,60}|"
            r"unexpected end of JSON input|JSONDecodeError: [^\n]{1,100}|Unexpected token "
            r"[^\n]{1,40} in JSON[^\n]{0,60}|Unexpected token [^\n]{1,60} is not valid JSON|"
            r"JsonParseException[^\n]{0,100}|JsonSyntaxException[^\n]{0,100}|"
            r"JsonReaderException[^\n]{0,100}|Expecting property name enclosed[^\n]{0,60})",
            r"(?P<why>toml: [^\n]{1,100}|TOMLDecodeError: [^\n]{1,100}|TOML parse "
            r"error[^\n]{0,100}|ConfigParser\.\w{1,30}Error[^\n]{0,80}|"
            r"MissingSectionHeaderError[^\n]{0,80}|Invalid (?:block definition|expression|"
            r"character)[^\n]{0,60}(?:HCL|hcl)[^\n]{0,40}|SAXParseException[^\n]{0,120}|"
            r"XML(?:SyntaxError| document)[^\n]{0,100})",
            rf"(?:error|failed|unable|cannot|could not|invalid)[^\n]{{0,40}}?(?:pars|load|read|"
            rf"unmarshal|decod)\w{{0,6}}[^\n]{{0,40}}?(?:config\w{{0,12}}|settings|"
            rf"file|{_FILE})[^\n]{{0,20}}?:"
            r"(?P<why>[^\n]{1,30}\bline \d{1,7}[^\n]{0,80})",
            r"(?P<why>error loading config[^\n]{0,120}|parsing (?:the )?config(?:uration)?(?: "
            r"file)?[^\n]{0,10} (?:error|failed)[^\n]{0,80}|invalid config(?:uration)?(?: "
            r"file)?:[^\n]{1,120}|configuration (?:is invalid|error|validation "
            r"failed)[^\n]{0,120}|cannot unmarshal [^\n]{1,100}|field \w{1,60} not found in type "
            r"[^\n]{1,60})",
            rf"(?P<why>unknown directive \"[^\"\n]{{1,60}}\"|unexpected \"[^\"\n]{{1,4}}\"|"
            rf"invalid number of arguments in \"[^\"\n]{{1,60}}\" directive)(?: "
            rf"in {_FILE}:(?P<line>\d{{1,7}}))?",
            r"\[ALERT\][^\n]{0,60}: config : (?P<why>[^\n]{1,140})",
        ),
        summary="container {container} cannot read its configuration<< {file}>><< (line "
        "{line})>>: {why}",
        cause="The configuration<< {file}>> of container {container} is not valid<< at line "
        "{line}>>: {why}.",
        explanation="The program cannot parse it, so it does not start.",
        advice="Correct the syntax of the configuration",
        command="kubectl -n {namespace} get configmaps",
        confidence=91,
    ),
    Idea(
        rule="application.code-syntax",
        category=Category.CRASH_LOOP,
        look=any_of(
            rf"File \"{_FILE}\", line (?P<line>\d{{1,7}})[^\0]{{0,600}}?(?P<why>(?:SyntaxError|"
            rf"IndentationError|"
            r"TabError): [^\n]{1,100})",
            rf"{_FILE}:(?P<line>\d{{1,7}})\n[^\0]{{0,600}}?(?P<why>SyntaxError: [^\n]{{1,100}})",
            rf"(?P<why>(?:PHP )?Parse error: [^\n]{{1,100}}?) in {_FILE} on line "
            rf"(?P<line>\d{{1,7}})",
            rf"{_FILE}:(?P<line>\d{{1,7}}): (?P<why>syntax error[^\n]{{0,100}})",
            rf"{_FILE}: line (?P<line>\d{{1,7}}): (?P<why>syntax error[^\n]{{0,100}})",
            r"(?P<why>\b(?:SyntaxError|IndentationError|TabError): [^\n]{1,120})",
            r"(?P<why>syntax error near unexpected token [^\n]{1,40}|sh: \d{1,6}: Syntax error: "
            r"[^\n]{1,60})",
            # A reader of Go says "unexpected EOF" too, of a connection or file that ends early.
            r"(?P<why>unexpected (?:EOF|end of file) while (?:looking for|parsing)[^\n]{0,60}|"
            r"(?:syntax error[:,]? (?:\S{1,20} )?|\bline \d{1,7}: )unexpected (?:EOF|end of file)"
            r"[^\n]{0,60}|unterminated quoted string[^\n]{0,60})",
        ),
        summary="container {container} runs code with a syntax error<< in {file}>><< line "
        "{line}>>: {why}",
        cause="The program of container {container} does not parse<<: {file}>><< line {line}>>: "
        "{why}.",
        explanation="The code in the image, or in a ConfigMap that holds a script, has an error "
        "of syntax.",
        advice="Correct the code, and run it once before it is shipped",
        confidence=90,
    ),
)
