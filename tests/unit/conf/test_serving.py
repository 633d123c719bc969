"""How a service runs."""

import pytest

from utilmeta.conf.serving import Serving, find_serving


@pytest.mark.parametrize(
    ("argv", "environ", "makes_threads"),
    [
        (["server.py"], {}, False),
        ([], {}, False),
        (["/srv/bin/gunicorn", "server:app"], {}, False),
        (["manage.py", "runserver"], {}, True),
        (["manage.py", "runserver", "8001", "--noreload"], {}, True),
        (["manage.py", "help", "runserver"], {}, False),
        (["/bin/utilmeta", "--service", "shop:service", "runserver"], {}, True),
        (["/bin/flask", "run"], {"FLASK_RUN_FROM_CLI": "true"}, True),
        (["/bin/flask", "shell"], {"FLASK_RUN_FROM_CLI": "false"}, False),
    ],
)
def test_development_servers_make_threads(
    argv: list[str], environ: dict[str, str], makes_threads: bool
):
    found = find_serving(asynchronous=False, argv=argv, environ=environ)
    assert found.makes_threads is makes_threads
    assert not find_serving(asynchronous=True, argv=argv, environ=environ).makes_threads


def test_a_service_of_no_more_facts_keeps_its_threads():
    assert Serving() == Serving(asynchronous=False, makes_threads=False, lanes=24)
