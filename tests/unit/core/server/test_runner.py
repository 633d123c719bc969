"""What `service.run()` does before a server takes over."""

import socket

import pytest

from utilmeta.core.server.runner import check_port, print_banner, url_of
from utilmeta.utils.exceptions import ConfigError


@pytest.mark.parametrize(
    ("host", "route", "url"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:80/"),
        ("0.0.0.0", "/api", "http://127.0.0.1:80/api"),
        ("", "", "http://127.0.0.1:80/"),
        ("::", "", "http://[::1]:80/"),
        ("::1", "", "http://[::1]:80/"),
        ("shop.example.com", "/v1", "http://shop.example.com:80/v1"),
    ],
)
def test_url_is_one_that_people_can_open(host: str, route: str, url: str):
    assert url_of("http", host, 80, route) == url


def test_taken_port_is_a_config_error_that_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            check_port("127.0.0.1", port)
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "another process listens there" in str(caught.value)
    check_port("127.0.0.1", port)


def test_address_of_another_machine_is_a_config_error():
    with pytest.raises(ConfigError) as caught:
        check_port("192.0.2.1", 8000)
    assert "192.0.2.1:8000" in str(caught.value)
    assert "no such address" in str(caught.value)


@pytest.mark.parametrize("host", ["no such host", "a" * 300, ".", "a..b"])
def test_host_that_is_none_is_a_config_error(host: str):
    with pytest.raises(ConfigError) as caught:
        check_port(host, 8000)
    assert repr(host) in str(caught.value)


def test_banner_is_one_line_of_everything(capsys: pytest.CaptureFixture[str]):
    print_banner("Shop", "1.0.2", "flask 3.1", "development, sync", "http://127.0.0.1:5000/api")
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    for part in ("Shop 1.0.2", "flask 3.1", "development, sync", "http://127.0.0.1:5000/api"):
        assert part in line
