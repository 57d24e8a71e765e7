"""What is a host and port in a text, and what only looks like one."""

from __future__ import annotations

from datetime import datetime
from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.evidence.host_port import HostPort, is_host, is_port, pairs_in

TIMES = (
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S+02:00",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%MZ",
    "%Y-%m-%d %H:%M:%S,123",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%dT%H:%M:%S",
    "%d/%b/%Y:%H:%M:%S +0000",
    "%d-%b-%Y %H:%M:%S UTC",
    "%d-%b-%Y:%H:%M",
    "%d%b%Y:%H:%M:%S",
    "%b %d %H:%M:%S",
    "%b-%d-%Y:%H:%M",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%H:%M:%S.%f",
    "%H:%M",
    "%I:%M %p",
    "I%m%d %H:%M:%S.%f",
)
COMPLAINTS = (
    "connection reset by peer",
    "i/o timeout",
    "write failed: broken pipe",
    "connection refused",
    "is unreachable",
)
AROUND = (
    '{{"ts":"{0}","level":"error","err":"{1}"}}',
    '{{"time": "{0}", "msg": "{1}"}}',
    "{0} error {1}",
    "[{0}] {1}",
    "{0}: {1}",
    'ts={0} level=error err="{1}"',
    "error at {0}: {1}",
    "{1} ({0})",
    "connect to {0} {1}",
)
moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 12, 31))
ports = st.integers(min_value=1024, max_value=65_535)
label = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(ascii_lowercase),
        st.text(ascii_lowercase + digits + "-", max_size=12),
        st.sampled_from(ascii_lowercase),
    ),
)
names = st.one_of(
    label,
    st.builds(lambda a, b: f"{a}.{b}.svc", label, label),
    st.builds(lambda a, b: f"{a}.{b}.svc.cluster.local", label, label),
    st.builds(lambda a: f"{a}.example.org", label),
    st.builds(lambda a, n: f"{a}-{n}.{a}", label, st.integers(0, 9)),
).filter(is_host)
addresses = st.ip_addresses(v=4).map(str).filter(lambda each: each != ".".join("0000"))
SHAPES = (
    "{0}: connection refused",
    "dial tcp {0}: i/o timeout",
    "cannot connect to {0}",
    "failed to reach {0} in time",
    '"addr":"{0}"',
    "addr={0} err=refused",
    "connection to {0} refused",
    "{0} is unreachable",
    "error: {0} refused the connection",
    "write tcp {0}: broken pipe",
    "request to {0} timed out",
    "waiting for {0} to be ready",
)


@given(moments, st.sampled_from(TIMES), st.sampled_from(COMPLAINTS), st.sampled_from(AROUND))
def test_no_time_is_ever_a_host(moment: datetime, form: str, complaint: str, around: str) -> None:
    assert not list(pairs_in(around.format(moment.strftime(form), complaint)))


@given(st.one_of(names, addresses), ports, st.sampled_from(SHAPES))
def test_a_host_and_port_are_found_in_every_usual_shape(name: str, port: int, shape: str) -> None:
    pair = f"{name}:{port}"
    assert list(pairs_in(shape.format(pair))) == [HostPort(name, str(port))]


@given(st.ip_addresses(v=6), ports)
def test_an_ipv6_address_is_whole_in_brackets_and_never_cut_in_half(
    address: object, port: int
) -> None:
    found = list(pairs_in(f"dial tcp [{address}]:{port}: connection refused"))
    assert found == ([] if str(address) == "::" else [HostPort(str(address), str(port))])
    assert not list(pairs_in(f"{address} is unreachable"))


@given(
    st.text(ascii_uppercase + ascii_lowercase, min_size=1, max_size=12),
    st.sampled_from(["go", "py", "java", "kt", "rs", "js", "ts", "cs", "rb", "php", "c", "scala"]),
    st.integers(1, 65_535),
    st.sampled_from(COMPLAINTS),
)
def test_no_place_in_a_source_file_is_a_host(
    name: str, ending: str, line: int, complaint: str
) -> None:
    assert not list(pairs_in(f"{name}.{ending}:{line} {complaint}"))
    assert not list(pairs_in(f"{name}.{ending}:{line}: {complaint}"))
    assert not list(pairs_in(f"at com.acme.{name}.run({name}.{ending}:{line}) {complaint}"))


@given(st.binary(min_size=6, max_size=6), st.sampled_from(COMPLAINTS))
def test_no_hardware_address_is_a_host(octets: bytes, complaint: str) -> None:
    assert not list(pairs_in(f"link {octets.hex(':')} {complaint}"))


@pytest.mark.parametrize(
    "text",
    [
        "ratio 3:1 connection reset",
        "progress 12:3000 timed out",
        "GET user:1001 timed out",
        "attempt:3 connection refused",
        "timeout:5000 connection reset",
        "Timeout waiting for lock:4711",
        "image postgres:16 not reachable",
        "app:1.2.3 connection refused",
        "version=1.2.3:4567abc refused",
        "sha256:44321 broken pipe",
        "c.a.Main:42 - connection reset",
        "SourceFile:1234 i/o timeout",
        "C:8080\\data is unreachable",
        "listening on localhost:8080",
        "client 10.1.2.3:5555 closed",
        "db:99999 is unreachable",
        "db:080 is unreachable",
        "300.1.1.1:8080 refused",
        "0.0.0.0:8080 in use",
        "-bad-.prod:5432 refused",
    ],
)
def test_what_is_written_like_a_host_and_port_need_not_be_one(text: str) -> None:
    assert not list(pairs_in(text))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("Connection refused: db/<unresolved>:5432", "db", "5432"),
        ("Connection timed out: stock/10.43.0.9:8080", "stock", "8080"),
        ("connect: /10.0.0.1:9092", "10.0.0.1", "9092"),
        ("10.1.0.9:4711->10.1.2.3:443: reset", "10.1.2.3", "443"),
        ("Error while reading from cache:6379 : reset", "cache", "6379"),
    ],
)
def test_the_ways_of_libraries_are_known(text: str, host: str, port: str) -> None:
    assert list(pairs_in(text)) == [HostPort(host, port)]


def test_a_pair_that_exists_needs_no_word_around_it() -> None:
    assert not list(pairs_in("INFO web:81 is asked"))
    assert list(pairs_in("INFO web:81 is asked", known={"web:81"})) == [HostPort("web", "81")]


@given(st.text(max_size=300))
def test_whatever_is_found_is_spelled_as_a_host_and_a_port(text: str) -> None:
    assert all(is_host(each.host) and is_port(each.port) for each in pairs_in(text))
