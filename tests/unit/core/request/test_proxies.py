"""Who the client is, and who may say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plain import PlainRequest, make_request
from utilmeta.core.request import Request
from utilmeta.core.request.proxies import TrustedProxies, parse_address

PEER = "10.0.0.1"
CLIENT = "203.0.113.9"


@pytest.mark.parametrize(
    ("declared", "peer", "trusted"),
    [
        ((), PEER, False),
        (("10.0.0.1",), PEER, True),
        (("10.0.0.2",), PEER, False),
        (("10.0.0.0/8",), "10.255.255.255", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", True),
        (("::1",), "::1", True),
        (("2001:db8::/32",), "2001:db8::7", True),
        (("0.0.0.0/0",), "testclient", False),
        (("0.0.0.0/0",), "::1", False),
        (("10.0.0.0/8",), None, True),
        ((), None, True),
        ((), "", True),
    ],
)
def test_trusts_declared_peers_only(declared: tuple[str, ...], peer: str | None, trusted: bool):
    assert TrustedProxies(declared).trusts(peer) is trusted


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (None, PEER),
        ("", PEER),
        (CLIENT, CLIENT),
        (f"6.6.6.6, {CLIENT}", CLIENT),
        (f"{CLIENT}, 10.0.0.2", CLIENT),
        (f"6.6.6.6, {CLIENT}, 10.0.0.2, 10.9.9.9", CLIENT),
        (f"{CLIENT}:5000", CLIENT),
        ("[2001:db8::1]:443, 10.0.0.2", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (f"{CLIENT}, unknown", PEER),
        (f"{CLIENT}, unknown, 10.0.0.2", "10.0.0.2"),
        (f" {CLIENT} ", CLIENT),
        ("<script>", PEER),
    ],
)
def test_client_is_the_right_most_that_is_no_proxy(forwarded: str | None, client: str):
    assert TrustedProxies(("10.0.0.0/8",)).client(PEER, forwarded) == client


@pytest.mark.parametrize("peer", [CLIENT, "testclient", "::1"])
def test_client_is_the_peer_when_it_is_no_declared_proxy(peer: str):
    assert TrustedProxies(("10.0.0.0/8",)).client(peer, "6.6.6.6") == peer


@given(
    st.lists(st.text(st.characters(exclude_characters=","))),
    st.lists(st.ip_addresses(network="10.0.0.0/8").map(str)),
)
def test_client_cannot_be_forged_from_the_left(forged: list[str], proxies: list[str]):
    header = ", ".join([*forged, CLIENT, *proxies])
    assert TrustedProxies(("10.0.0.0/8",)).client(PEER, header) == CLIENT


@given(st.ip_addresses(), st.integers(1, 65535))
def test_parse_address_reads_every_spelling(address: object, port: int):
    plain = parse_address(str(address))
    host = f"[{address}]" if ":" in str(address) else str(address)
    assert plain is not None
    assert parse_address(f"{host}:{port}") == plain
    assert parse_address(host) == plain


def forwarded(peer: str | None, *proxies: str, **headers: str) -> Request:
    client = None if peer is None else (peer, 1)
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return make_request(
        PlainRequest(headers=[("host", "inner:8000"), *pairs], client=client),
        trusted_proxies=proxies,
    )


HEADERS = {
    "x_forwarded_for": CLIENT,
    "x_forwarded_proto": "https",
    "x_forwarded_host": "shop.example.com",
}


def test_request_believes_a_declared_proxy():
    request = forwarded(PEER, PEER, **HEADERS)
    assert request.ip_address == CLIENT
    assert (request.scheme, request.host) == ("https", "shop.example.com")
    assert request.origin == "https://shop.example.com"
    assert request.is_from_proxy


@pytest.mark.parametrize("proxies", [(), ("10.0.0.2",)])
def test_request_believes_nobody_else(proxies: tuple[str, ...]):
    request = forwarded(PEER, *proxies, **HEADERS)
    assert request.ip_address == PEER
    assert (request.scheme, request.host) == ("http", "inner:8000")
    assert not request.is_from_proxy


def test_request_counts_a_unix_socket_as_declared():
    # Only a proxy that was given access to the socket can be at its other end.
    request = forwarded(None, **HEADERS)
    assert request.ip_address == CLIENT
    assert (request.scheme, request.host) == ("https", "shop.example.com")


def test_request_joins_repeated_forwarding_headers():
    raw = PlainRequest(
        headers=[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", CLIENT)], client=(PEER, 1)
    )
    assert make_request(raw, trusted_proxies=(PEER,)).ip_address == CLIENT


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        ("https", "https"),
        ("http, https", "https"),
        ("HTTPS", "https"),
        ("gopher", "http"),
        ("", "http"),
    ],
)
def test_request_takes_the_nearest_proxys_scheme(proto: str, scheme: str):
    assert forwarded(PEER, PEER, x_forwarded_proto=proto).scheme == scheme
