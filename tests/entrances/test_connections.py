"""Databases and caches of a fresh service, really connected to."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.entrances.projects import SHOP, Done, script, write
from tests.services import (
    HOST,
    MYSQL_PORT,
    POSTGRES_PORT,
    REDIS_PORT,
    require_mysql,
    require_postgres,
    require_redis,
)

HEAD = """
import json
from utilmeta import UtilMeta
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.cache.backends.redis import RedisCache
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta("shop", name="shop", backend="flask")


def tell(**facts):
    print("FACTS " + json.dumps(facts, default=str))


"""
CONNECT = """
service.use(DatabaseConnections({{"default": {database}}}))
service.setup()
from django.db import connection

with connection.cursor() as cursor:
    cursor.execute("SELECT %s", ["naïve 数据 👩‍🚀"])
    text = cursor.fetchone()[0]
pool = getattr(connection, "pool", None)
tell(text=text, vendor=connection.vendor, usable=connection.is_usable(), pooled=pool is not None,
     age=connection.settings_dict["CONN_MAX_AGE"], **({more}))
if pool is not None:
    connection.close_pool()
"""
POSTGRES = f"engine='postgresql', name='test', user='postgres', host='{HOST}', port={POSTGRES_PORT}"
MYSQL = f"engine='mysql', name='test', user='root', host='{HOST}', port={MYSQL_PORT}"


def run(folder: Path, text: str) -> Done:
    return script(write(folder, SHOP), HEAD + text)


def connect(folder: Path, database: str, more: str = "{}") -> Any:
    return run(folder, CONNECT.format(database=f"Database({database})", more=more)).facts


def plain(vendor: str, **more: Any) -> dict[str, Any]:
    facts = {
        "text": "naïve 数据 👩‍🚀",
        "vendor": vendor,
        "usable": True,
        "pooled": False,
        "age": 600,
    }
    return {**facts, **more}


# -- databases ----------------------------------------------------------------------------------


def test_sqlite_is_connected_to(tmp_path: Path) -> None:
    assert connect(tmp_path, "name='data.sqlite3'") == plain("sqlite")
    assert (tmp_path / "data.sqlite3").exists()
    absolute = tmp_path / "elsewhere.sqlite3"
    assert connect(tmp_path, f"name={str(absolute)!r}, max_age=None") == plain("sqlite", age=None)
    assert absolute.exists()


@pytest.mark.postgres
def test_postgresql_is_connected_to(tmp_path: Path) -> None:
    require_postgres()
    more = "{'name': __import__('django').db.connection.pg_version > 140000}"
    assert connect(tmp_path, POSTGRES, more) == plain("postgresql", name=True)


@pytest.mark.postgres
def test_postgresql_takes_the_drivers_options_and_keeps_connections(tmp_path: Path) -> None:
    require_postgres()
    more = "{'application': connection.connection.info.get_parameters()['application_name']}"
    database = f"{POSTGRES}, max_age=60, options={{'application_name': 'the shop'}}"
    assert connect(tmp_path, database, more) == plain("postgresql", age=60, application="the shop")


@pytest.mark.postgres
def test_postgresql_is_connected_to_by_url(tmp_path: Path) -> None:
    require_postgres()
    url = f"postgres://postgres@{HOST}:{POSTGRES_PORT}/test?application_name=by%20url"
    text = CONNECT.format(
        database=f"Database.from_url({url!r})",
        more="{'application': connection.connection.info.get_parameters()['application_name']}",
    )
    assert run(tmp_path, text).facts == plain("postgresql", application="by url")


@pytest.mark.postgres
@pytest.mark.parametrize("options", ["True", "{'min_size': 1, 'max_size': 3, 'timeout': 7}"])
def test_a_pool_is_used(options: str, tmp_path: Path) -> None:
    require_postgres()
    more = (
        "{'sizes': [pool.min_size, pool.max_size, pool.timeout], "
        "'asked': pool.get_stats()['requests_num'], 'class': type(pool).__module__}"
    )
    done = connect(tmp_path, f"{POSTGRES}, pooled={options}", more)
    sizes = [4, 4, 5] if options == "True" else [1, 3, 7]
    assert done.pop("sizes") == sizes
    assert done.pop("asked") >= 1
    assert done.pop("class").startswith("psycopg_pool")
    assert done == plain("postgresql", pooled=True, age=0)


@pytest.mark.postgres
def test_a_pool_lends_one_connection_to_one_thread_after_another(tmp_path: Path) -> None:
    require_postgres()
    text = f"""
import threading
pool = {{"min_size": 1, "max_size": 2}}
service.use(DatabaseConnections({{"default": Database({POSTGRES}, pooled=pool)}}))
service.setup()
from django.db import connection

seen = []


def work():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.01)")
        seen.append(cursor.fetchone()[0])
    connection.close()


threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(20)
tell(asked=len(seen), servers=len(set(seen)))
connection.close_pool()
"""
    done = run(tmp_path, text).facts
    assert done["asked"] == 12
    assert done["servers"] <= 2


@pytest.mark.mysql
def test_mariadb_is_connected_to(tmp_path: Path) -> None:
    require_mysql()
    more = "{'mariadb': connection.mysql_is_mariadb}"
    assert connect(tmp_path, MYSQL, more) == plain("mysql", mariadb=True)
    more = "{'charset': connection.get_connection_params()['charset']}"
    done = connect(tmp_path, MYSQL.replace("'mysql'", "'mariadb'"), more)
    assert done == plain("mysql", charset="utf8mb4")


# -- TLS ----------------------------------------------------------------------------------------

TLS = """
service.use(DatabaseConnections({{"default": Database({database}, ssl={ssl})}}))
service.setup()
from django.db import connection, OperationalError

try:
    with connection.cursor() as cursor:
        cursor.execute({query!r})
        tell(row=cursor.fetchone())
except OperationalError as exc:
    tell(error=str(exc))
"""
ENGINES: list[Any] = [
    pytest.param(
        require_postgres,
        POSTGRES,
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        [True],
        marks=pytest.mark.postgres,
        id="postgresql",
    ),
    pytest.param(
        require_mysql,
        MYSQL,
        "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS "
        "WHERE VARIABLE_NAME = 'Ssl_cipher'",
        [1],
        marks=pytest.mark.mysql,
        id="mysql",
    ),
]


@pytest.mark.parametrize(("require", "database", "query", "encrypted"), ENGINES)
def test_ssl_gives_tls_or_an_error_and_never_a_plain_connection(
    require: Callable[[], None], database: str, query: str, encrypted: object, tmp_path: Path
) -> None:
    require()
    done = run(tmp_path, TLS.format(database=database, ssl=True, query=query)).facts
    if "error" in done:
        assert "SSL" in done["error"] or "TLS" in done["error"], done
    else:
        assert done["row"] == encrypted


@pytest.mark.mysql
def test_tls_options_of_mariadb_give_tls_or_an_error(tmp_path: Path) -> None:
    require_mysql()
    query, encrypted = ENGINES[1].values[2], ENGINES[1].values[3]
    ssl = "{'ca': '/etc/ssl/certs/ca-certificates.crt'}"
    done = run(tmp_path, TLS.format(database=MYSQL, ssl=ssl, query=query)).facts
    assert "error" in done or done["row"] == encrypted, done


# -- caches -------------------------------------------------------------------------------------

CACHE = """
service.use(CacheConnections({{"default": Cache(), "far": RedisCache({arguments})}}))
service.setup()
from django.core.cache import caches

far = caches["far"]
{code}
"""


@pytest.mark.redis
def test_redis_keeps_what_is_set(tmp_path: Path) -> None:
    require_redis()
    import redis

    prefix = f"utilmeta-test-{os.getpid()}"
    arguments = f"host='{HOST}', port={REDIS_PORT}, key_prefix='{prefix}', timeout=60, version=3"
    code = """
far.set("key", {"text": "数据 👩‍🚀", "number": 1})
far.set("gone", 1)
far.delete("gone")
far.incr("count") if far.add("count", 1) else None
tell(value=far.get("key"), gone=far.get("gone"), count=far.get("count"), kind=type(far).__name__,
     here=caches["default"].get("key"))
"""
    with redis.Redis(host=HOST, port=REDIS_PORT) as client:
        try:
            done = run(tmp_path, CACHE.format(arguments=arguments, code=code)).facts
            assert done == {
                "value": {"text": "数据 👩‍🚀", "number": 1},
                "gone": None,
                "count": 2,
                "kind": "RedisCache",
                "here": None,
            }
            assert sorted(client.keys(f"{prefix}*")) == [
                f"{prefix}:3:count".encode(),
                f"{prefix}:3:key".encode(),
            ]
            assert 0 < client.ttl(f"{prefix}:3:key") <= 60
        finally:
            for key in client.keys(f"{prefix}*"):
                client.delete(key)


@pytest.mark.redis
def test_redis_uses_the_database_asked_for(tmp_path: Path) -> None:
    require_redis()
    import redis

    key = f"utilmeta-test-{os.getpid()}-db"
    arguments = f"host='{HOST}', port={REDIS_PORT}, db=9"
    code = f"far.set({key!r}, 1, 60)\ntell(value=far.get({key!r}))"
    with redis.Redis(host=HOST, port=REDIS_PORT, db=9) as client:
        try:
            done = run(tmp_path, CACHE.format(arguments=arguments, code=code)).facts
            assert done == {"value": 1}
            assert client.exists(f":1:{key}") == 1
        finally:
            client.delete(f":1:{key}")


@pytest.mark.redis
def test_redis_with_ssl_gives_an_error_where_there_is_no_tls(tmp_path: Path) -> None:
    require_redis()
    arguments = f"host='{HOST}', port={REDIS_PORT}, ssl=True, options={{'socket_timeout': 0.3}}"
    code = """
import redis

try:
    far.set("key", 1)
except redis.exceptions.RedisError as exc:
    tell(error=str(exc))
else:
    tell(error=None)
"""
    done = run(tmp_path, CACHE.format(arguments=arguments, code=code)).facts
    assert done["error"]


# -- replicas -----------------------------------------------------------------------------------

REPLICAS = """
service.use(DjangoSettings(apps=["shop"]))
service.use(
    DatabaseConnections(
        {
            "default": Database(name="primary.sqlite3"),
            "one": Database(name="one.sqlite3", replica_of="default"),
            "two": Database(name="two.sqlite3", replica_of="default"),
        }
    )
)
service.setup()
from django.core.management import call_command
from django.db import connections, transaction
from shop.models import Product
from utilmeta.core import orm


def tables(alias):
    return "shop_product" in connections[alias].introspection.table_names()


for alias in ("default", "one", "two"):
    call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
migrated = [tables(alias) for alias in ("default", "one", "two")]
"""
FILL = """
for alias in ("one", "two"):
    with connections[alias].schema_editor() as editor:
        for model in Product, Part:
            editor.create_model(model)
    Part.objects.using(alias).create(
        name=alias, product=Product.objects.using(alias).create(name=alias, price=1)
    )
with connections["default"].schema_editor() as editor:
    editor.create_model(Part)
"""
PART = """
from django.db import models


class Part(models.Model):
    name = models.CharField(max_length=50)
    product = models.ForeignKey(Product, models.CASCADE, related_name="parts")

    class Meta:
        app_label = "shop"


class ProductSchema(orm.Schema[Product]):
    name: str
    parts: list[str] = orm.Field("parts.name")


"""


def test_migrate_skips_replicas(tmp_path: Path) -> None:
    assert run(tmp_path, REPLICAS + "tell(migrated=migrated)").facts == {
        "migrated": [True, False, False]
    }


def test_reads_go_to_replicas_and_writes_to_the_primary(tmp_path: Path) -> None:
    text = f"""{REPLICAS}{PART}{FILL}
made = Product.objects.create(name="written", price=1)
Product.objects.filter(pk=made.pk).update(price=2)
read = {{Product.objects.first().name for _ in range(60)}}
with transaction.atomic():
    inside = {{item.name for _ in range(20) for item in Product.objects.all()}}
got, created = Product.objects.get_or_create(name="written", defaults={{"price": 3}})
part = Part(name="p", product=made)
mixed = Part(name="p", product=Product.objects.using("one").first())
tell(read=sorted(read), inside=sorted(inside), created=created, wrote=made._state.db,
     stored=[str(item) for item in Product.objects.using("default")],
     replicas=[Product.objects.using(alias).count() for alias in ("one", "two")])
"""
    assert run(tmp_path, text).facts == {
        "read": ["one", "two"],
        "inside": ["written"],
        "created": False,
        "wrote": "default",
        "stored": ["written"],
        "replicas": [1, 1],
    }


def test_a_schema_reads_rows_and_relations_from_one_replica(tmp_path: Path) -> None:
    text = f"""{REPLICAS}{PART}{FILL}
seen = set()
for _ in range(60):
    seen |= {{(item.name, *item.parts) for item in ProductSchema.serialize(Product.objects.all())}}
seen |= {{(item.name, *item.parts) for item in (ProductSchema.init(1) for _ in range(30))}}
tell(seen=sorted(seen))
"""
    assert run(tmp_path, text).facts == {"seen": [["one", "one"], ["two", "two"]]}


def test_a_replica_of_a_replica_is_refused(tmp_path: Path) -> None:
    text = """
from utilmeta.utils.exceptions import ConfigError

errors = []
for replica_of in ("one", "nobody", "two"):
    try:
        DatabaseConnections(
            {
                "default": Database(name="a"),
                "one": Database(name="b", replica_of="default"),
                "two": Database(name="c", replica_of=replica_of),
            }
        )
    except ConfigError as exc:
        errors.append(str(exc))
tell(errors=errors)
"""
    errors = run(tmp_path, text).facts["errors"]
    assert len(errors) == 3
    assert all("'two' is replica_of=" in error for error in errors)
