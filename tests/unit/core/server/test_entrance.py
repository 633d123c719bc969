"""What is judged of an entrance, and which handler a path belongs to."""

from utilmeta.core.server.gateways.entrance import Routes, Watch, literal_of
from utilmeta.core.server.gateways.wsgi import status_line


def test_an_entrance_that_was_judged_is_judged_anew_when_facts_change():
    facts, judged = [1], []

    def judge() -> str | None:
        judged.append(list(facts))
        return "two" if len(facts) > 1 else None

    watch = Watch(lambda: tuple(facts), judge)
    assert [watch.reason(), watch.reason()] == [None, None]
    facts.append(2)
    assert [watch.reason(), watch.reason()] == ["two", "two"]
    facts.pop()
    assert watch.reason() is None
    assert judged == [[1], [1, 2], [1]]


def test_routes_find_the_longest_that_fits_whole_segments():
    routes = Routes()
    routes.add("/api", "short")
    routes.add("/api/v2", "long")
    assert routes.find("/api/v2/x") == ("/api/v2", "long")
    assert routes.find("/api/v2") == ("/api/v2", "long")
    assert routes.find("/api/v20") == ("/api", "short")
    assert routes.find("/apix") is None
    assert routes.find("") is None
    routes.add("", "all")
    assert routes.find("/apix") == ("", "all")
    assert list(routes) == ["/api/v2", "/api", ""]


def test_routes_are_crossed_by_what_could_match_below_them():
    routes = Routes()
    routes.add("/api", "it")
    crossing = ("/api/x", "/api", "/a", "/", "")
    assert all(map(routes.crossed_by, crossing))
    assert not any(map(routes.crossed_by, ("/admin/", "/b", "/apo")))
    assert literal_of("/users/{id}/x", "{") == "/users/"


def test_status_lines_have_phrases():
    assert [status_line(code) for code in (200, 404)] == ["200 OK", "404 Not Found"]
