r"""Tokens that their issuers mark: `ghp_...`, `AKIA...`, `SG.x.y`.

A token is one long word, so its prefix is looked for among the long words of the text, each once;
only a prefix that is there is looked up in the text itself. So a hundred issuers cost little.

`_START` also accepts a token behind the two characters of an escape (`\n`, `\r`, `\t`) and behind a
colour code, where the character before it is a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kausa.evidence.redaction.hints import Hints
from kausa.evidence.redaction.randomness import is_random
from kausa.evidence.redaction.span import Span

__all__ = ["TOKENS", "Token", "find_tokens"]

_START: Final = re.compile(
    r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])"
    r"|(?<=\x1b\[\dm)|(?<=\x1b\[\d\dm)|(?<=\x1b\[\d;\d\dm))"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One mark and what follows it; a token that means nothing else may stand glued to a word."""

    kind: str
    mark: str
    body: re.Pattern[str]
    glued: bool = False
    vague: bool = False
    """Whether ordinary words begin like it, so that only a random body makes it a token."""


def _row(
    kind: str, body: str, *marks: str, glued: bool = False, vague: bool = False
) -> tuple[Token, ...]:
    """One kind with the same form behind each of its marks."""
    form = re.compile(body, re.ASCII)
    return tuple(Token(kind, mark, form, glued, vague) for mark in marks)


TOKENS: Final[tuple[Token, ...]] = (
    *_row("jwt", r"[\w-]{6,}+\.eyJ[\w-]{4,}+(?:\.[\w-]*+)?", "eyJ"),
    *_row("jwt", r"[\w-]{12,}+\.[\w-]*+\.[\w-]{8,}+\.[\w-]{8,}+\.[\w-]{8,}+", "eyJ"),
    *_row("aws-key", r"[A-Z0-9]{16}(?![A-Z0-9])", "AKIA", "ASIA", "ABIA", "ACCA"),
    *_row("aws-key", r"[A-Za-z0-9+/=_-]{60,}+", "ABSK"),
    *_row("gcp-key", r"[\w-]{35}(?![\w-])", "AIza"),
    *_row("gcp-key", r"[\w-]{20,}+", "ya29.", "GOCSPX-", glued=True),
    *_row("github-token", r"[A-Za-z0-9]{30,}+", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", glued=True),
    *_row("github-token", r"\w{22,}+", "github_pat_", glued=True),
    *_row(
        "gitlab-token",
        r"[\w.-]{20,}+",
        *("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-", "glimt-"),
        *("glffct-", "gloas-", "GR1348941"),
        glued=True,
    ),
    *_row(
        "slack-token",
        r"[A-Za-z0-9-]{10,}+",
        *("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xoxc-", "xoxd-"),
        *("xapp-", "xoxe.xoxp-", "xoxe.xoxb-"),
        glued=True,
    ),
    *_row(
        "stripe-key",
        r"[A-Za-z0-9]{10,}+",
        *("sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_org_"),
        glued=True,
    ),
    *_row("twilio-key", r"[0-9a-f]{32}(?![0-9A-Za-z])", "SK"),
    *_row("sendgrid-key", r"[\w-]{16,32}+\.[\w-]{32,64}+", "SG."),
    *_row("mailgun-key", r"[0-9a-f]{32}(?![0-9A-Za-z])", "key-"),
    *_row("mail-key", r"[0-9a-f]{64}-[A-Za-z0-9]{16}", "xkeysib-", glued=True),
    *_row("npm-token", r"[A-Za-z0-9]{30,}+", "npm_"),
    *_row("pypi-token", r"[\w-]{16,}+", "pypi-AgE", "pypi-AgN", glued=True),
    *_row("package-token", r"[0-9a-f]{48}", "rubygems_", glued=True),
    *_row("package-token", r"[A-Za-z0-9]{40,200}+", "cio", vague=True),
    *_row("artifactory-token", r"[A-Za-z0-9]{60,}+", "AKCp"),
    *_row("artifactory-token", r"[A-Za-z0-9]{50,}+", "cmVmdGtu"),
    *_row(
        "model-key",
        r"[\w-]{20,}+",
        *("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-ant-", "sk-or-v1-", "sk-lf-", "pk-lf-"),
        *("gsk_", "xai-", "pplx-", "pcsk_", "nvapi-", "lsv2_pt_", "lsv2_sk_", "fw_", "csk-"),
    ),
    *_row("model-key", r"[A-Za-z0-9]{32,}+", "sk-", "r8_"),
    *_row("hugging-face-token", r"[A-Za-z0-9]{30,}+", "hf_", "api_org_"),
    *_row("vault-token", r"[\w-]{20,}+", "hvs.", "hvb.", "hvr.", glued=True),
    *_row("vault-token", r"[A-Za-z0-9]{24}(?![\w.-])", "s.", "b.", "r.", vague=True),
    *_row("docker-token", r"[\w-]{20,}+", "dckr_pat_", "dckr_oat_", glued=True),
    *_row("databricks-token", r"[0-9a-f]{32}(?:-\d)?(?![0-9A-Za-z])", "dapi"),
    *_row("digitalocean-token", r"[0-9a-f]{64}", "dop_v1_", "doo_v1_", "dor_v1_", glued=True),
    *_row("heroku-key", r"[\w-]{36,}+", "HRKU-"),
    *_row(
        "shopify-token",
        r"[0-9a-fA-F]{32}",
        *("shpat_", "shpss_", "shpca_", "shppa_", "shprt_", "shpua_"),
        glued=True,
    ),
    *_row("square-token", r"[\w-]{22,}+", "sq0atp-", "sq0csp-", "sq0idp-", glued=True),
    *_row("square-token", r"[\w-]{56,}+", "EAAA"),
    *_row("facebook-token", r"[A-Za-z0-9]{60,200}+", "EAA", vague=True),
    *_row("paypal-token", r"[0-9a-z]{16}\$[0-9a-f]{32}", "access_token$production$"),
    *_row("newrelic-key", r"[A-Za-z0-9_-]{20,}+", "NRAK-", "NRII-", "NRJS-", "NRBR-", "NRRA-"),
    *_row("grafana-token", r"[A-Za-z0-9_]{32,}+", "glsa_", glued=True),
    *_row("grafana-token", r"[A-Za-z0-9+/=]{60,}+", "eyJrIjoi"),
    *_row("sentry-token", r"[\w.=+/-]{40,}+", "sntrys_", "sntryu_", "sntrya_", glued=True),
    *_row("age-key", r"[A-Z0-9]{58}", "AGE-SECRET-KEY-1", glued=True),
    *_row("terraform-token", r"[\w-]{60,}+", ".atlasv1."),
    *_row("atlassian-token", r"[\w=-]{50,}+", "ATATT3x", "ATCTT3x", "ATBB"),
    *_row("linear-key", r"[A-Za-z0-9]{32,}+", "lin_api_", "lin_oauth_", glued=True),
    *_row("notion-token", r"[A-Za-z0-9]{40,200}+", "ntn_", "secret_", vague=True),
    *_row("figma-token", r"[\w-]{36,}+", "figd_", "figo_", "figu_", glued=True),
    *_row("postman-key", r"[0-9a-f]{24}-[0-9a-f]{34}", "PMAK-", glued=True),
    *_row("airtable-token", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}", "pat"),
    *_row("doppler-token", r"[A-Za-z0-9.]{40,}+", "dp.pt.", "dp.st.", "dp.ct.", "dp.sa."),
    *_row("planetscale-token", r"[\w.=-]{32,}+", "pscale_tkn_", "pscale_pw_", "pscale_oauth_"),
    *_row("tailscale-key", r"[A-Za-z0-9-]{16,}+", "tskey-", glued=True),
    *_row("supabase-key", r"[\w-]{28,}+", "sbp_", "sb_secret_"),
    *_row("sonar-token", r"[0-9a-f]{40}", "sqp_", "squ_", "sqa_", "sqb_"),
    *_row("ci-token", r"[\w-]{20,}+", "CCIPAT_", "CCIPRJ_", "bkua_", "bkcluster_"),
    *_row("ci-token", r"[\w-]{20,200}+", "pul-", "tfp_", vague=True),
    *_row("dynatrace-token", r"[A-Z0-9]{24}\.[A-Z0-9]{64}", "dt0c01.", "dt0s01.", "dt0s16."),
    *_row("alibaba-key", r"[A-Za-z0-9]{17,21}(?![A-Za-z0-9])", "LTAI"),
    *_row("tencent-key", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", "AKID"),
    *_row("cloudflare-token", r"[0-9a-f]{24}-[0-9a-f]{100,}+", "v1.0-"),
    *_row("onepassword-token", r"[\w=-]{80,}+", "ops_eyJ"),
    *_row("sourcegraph-token", r"[0-9a-f_]{40,}+", "sgp_"),
    *_row("secret-key", r"[A-Za-z0-9-]{24,}+", "pat-na1-", "pat-eu1-", "shippo_live_"),
    *_row("secret-key", r"[\w-]{24,}+", "duffel_live_"),
    *_row("honeycomb-key", r"[a-z0-9]{50,}+", "hcaik_", "hcxik_", glued=True),
    *_row("openshift-token", r"[\w-]{43}(?![\w-])", "sha256~", glued=True),
    *_row("kubeconfig-token", r"[a-z0-9]{5}:[a-z0-9]{50,60}", "kubeconfig-u-", "kubeconfig-user-"),
    *_row("adobe-secret", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", "p8e-"),
    *_row("package-token", r"[A-Za-z0-9]{60}", "CLOJARS_", "clojars_"),
    *_row("easypost-key", r"[A-Za-z0-9]{54}", "EZAK", "EZTK"),
    *_row("flutterwave-key", r"[A-Za-z0-9]{12,}+", "FLWSECK-", "FLWSECK_TEST-", glued=True),
    *_row("harness-token", r"[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}", "pat.", "sat."),
    *_row("infracost-key", r"[A-Za-z0-9]{32}(?![\w-])", "ico-"),
    *_row("mapbox-token", r"[A-Za-z0-9]{60}\.[\w-]{22}", "sk."),
    *_row("octopus-key", r"[A-Z0-9]{25,32}(?![A-Za-z0-9])", "API-"),
    *_row("readme-key", r"[a-z0-9]{70}", "rdme_"),
    *_row("scalingo-token", r"[\w-]{48}(?![\w-])", "tk-us-"),
    *_row("dropbox-token", r"[\w=-]{130,152}", "sl."),
    *_row("yandex-key", r"[\w=-]{36,200}+", "AQVN", "YCAJE", "YCN", vague=True),
    *_row("prefect-key", r"[A-Za-z0-9]{36}", "pnu_"),
    *_row("azure-devops-token", r"[A-Za-z0-9]{4,12}(?![A-Za-z0-9])", "AZDO"),
)
# Of an alphabet that breaks long words; looked for in the whole text.
_BROKEN: Final[tuple[Token, ...]] = (
    *_row("aws-token", r"[A-Za-z0-9+/=_%-]{60,}+", "FwoGZXIvYXdz", "IQoJb3JpZ2lu"),
    *_row("stripe-key", r"[A-Za-z0-9+/=]{16,}+", "whsec_", glued=True),
    *_row("grafana-token", r"[A-Za-z0-9+/=]{20,}+", "glc_", glued=True),
    *_row("fly-token", r"[A-Za-z0-9+/=_,-]{80,}+", "fm2_"),
)


def _middle(before: str, shape: str) -> re.Pattern[str]:
    """The shape, at the beginning of a word or behind the letter of an escape."""
    return re.compile(rf"{before}[nrt]?(?P<secret>{shape})")


# Shapes whose mark stands in the middle; looked for among the long words alone.
_MIDDLE: Final[tuple[tuple[str, str, re.Pattern[str]], ...]] = (
    (
        "azure-secret",
        "Q~",
        _middle(r"(?<![\w~.-])", r"[\w~.-]{3}\dQ~[\w~.-]{31,34}+(?![\w~-])"),
    ),
    (
        "azure-devops-token",
        "AZDO",
        _middle("", r"[A-Za-z0-9]{70,80}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])"),
    ),
    ("newrelic-key", "NRAL", _middle(r"(?<![0-9a-z])", r"[0-9a-f]{36}NRAL(?![0-9A-Za-z])")),
    (
        "mailchimp-key",
        "-us",
        _middle(r"(?<![0-9a-z])", r"[0-9a-f]{32}-us\d{1,2}(?![0-9A-Za-z])"),
    ),
    ("maxmind-key", "_mmk", _middle(r"(?<!\w)", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?!\w)")),
    ("terraform-token", ".atlasv1.", _middle("", r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}+")),
)
# Its first part is a number in base64, hence the first letter; no mark but two dots.
_DISCORD: Final = _middle(r"(?<![\w.-])", r"[MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,48}(?![\w.-])")
_DISCORD_LEAST: Final = 57
_TELEGRAM: Final = re.compile(
    r"(?:(?<!\w)(?:bot)?|(?<=\\[nrt])|(?<=[0-9]m))(?P<secret>\d{8,10}:AA[\w-]{33})(?![\w-])"
)


def find_tokens(hints: Hints) -> Iterator[Span]:
    """Yield every marked token."""
    words, text = hints.long_words, hints.text
    for token in TOKENS if words else ():
        if token.mark in words:
            yield from _marked(text, token)
    for token in _BROKEN:
        yield from _marked(text, token)
    for kind, mark, shape in _MIDDLE:
        if mark in words:
            yield from _shaped(text, words, kind=kind, shape=shape)
    dotted = [each for each in words.split("\n") if len(each) >= _DISCORD_LEAST and "." in each]
    if dotted:
        yield from _shaped(text, "\n".join(dotted), kind="discord-token", shape=_DISCORD)
    if ":AA" in text:
        for found in _TELEGRAM.finditer(text):
            yield Span(*found.span("secret"), "telegram-token")


def _shaped(text: str, words: str, *, kind: str, shape: re.Pattern[str]) -> Iterator[Span]:
    for word in {found["secret"] for found in shape.finditer(words)}:
        yield from (Span(at, at + len(word), kind) for at in _places(text, word))


def _marked(text: str, token: Token) -> Iterator[Span]:
    end = 0
    for at in _places(text, token.mark):
        if at < end or not (token.glued or _START.match(text, at)):
            continue
        body = token.body.match(text, at + len(token.mark))
        if body is not None and not (token.vague and not is_random(body[0])):
            end = body.end()
            yield Span(at, end, token.kind)


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + len(word))
