"""How instructions to a model are worded in other languages.

A word for `ignore` or for `answer` stands in every log of that language. So what is to be ignored
has to be there as well, or the language that is to be answered in. Without accents, as the text is
compared.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FOREIGN"]

_IGNORE: Final = (
    r"(?:ignorier\w*|vergiss|missachte|ignore[zr]?|oublie[zr]?|ignora\w*|olvida\w*|dimentica\w*|"
    r"esqueca\w*|negeer|vergeet|zignoruj|zapomnij|yoksay|gormezden|ignorera|glom|игнорир\w*|"
    r"забудь\w*|ігноруй\w*|忽略|无视|無視|忘记|무시|잊|تجاهل|अनदेखा|αγνοησε|התעלם)"
)
_TOLD: Final = (
    r"(?:anweisung\w*|vorgaben|instrucoes|instrucciones|indicaciones|istruzioni|consignes|"
    r"instructions|instructies|instrukcj\w*|polecen\w*|talimat\w*|instruktion\w*|инструкц\w*|"
    r"указани\w*|інструкц\w*|вказівк\w*|指令|指示|提示词|规则|지시|명령|التعليمات|निर्देश|οδηγιες|"
    r"הוראות|ההוראות)"
)
_ANSWER: Final = (
    r"(?:antworte\w*|repond\w+|responde\w*|responda\w*|rispondi\w*|antwoord|odpowiedz|yanitla\w*|"
    r"svara|отвечай\w*|ответь\w*|відповідай\w*)"
)
_TONGUE: Final = (
    r"(?:deutsch|englisch|franzosisch|spanisch|francais|anglais|allemand|espagnol|espanol|ingles|"
    r"frances|aleman|alemao|italiano|inglese|francese|tedesco|portugues|nederlands|engels|duits|"
    r"polsku|angielsku|turkce|svenska|engelska|русск\w*|английск\w*|немецк\w*|українськ\w*)"
)
_WRITTEN: Final = (
    r"(?:zusammenfassung|ausgabe|bericht|antwort|erklarung|diagnose|befund|resume|rapport|reponse|"
    r"explication|diagnostic|resumen|informe|respuesta|explicacion|diagnostico|riassunto|rapporto|"
    r"risposta|spiegazione|resumo|relatorio|resposta|samenvatting|verslag|antwoord|uitvoer)"
)
_ENDS: Final = r"(?<![a-z])"

FOREIGN: Final[tuple[str, ...]] = (
    rf"{_ENDS}{_IGNORE}[^.!?\u3002]{{0,60}}?{_TOLD}",
    rf"{_TOLD}[^.!?\u3002]{{0,30}}?{_IGNORE}",
    rf"{_ENDS}{_WRITTEN}\b[^.!?]{{0,40}}?\b{_TONGUE}\b",
    rf"{_ENDS}{_ANSWER} (?:\w+ ){{0,2}}?{_TONGUE}",
    r"(?:日本語|英語|中国語|中文|英文|韩语|한국어|영어)(?:로|で|来)?(?:回答|回复|答え|대답|답변)",
    r"(?:用|以)(?:中文|英文|日语|德语|法语)(?:回答|回复)",
)
