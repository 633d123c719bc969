"""Reads and writes with primaries and replicas: SQLite files that hold different rows."""

from pathlib import Path
from typing import Any

from tests.entrances.projects import SHOP, script, write

# Two primaries with replicas; `Note` lives on the second by the project's own router. Each row is
# named after the database it is in.
SCRIPT = """
import json
import logging
import os

from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings


class Notes:
    def db_for_read(self, model, **hints):
        return "notes" if model.__name__ == "Note" else None

    db_for_write = db_for_read


def tell(**facts):
    print("FACTS " + json.dumps(facts, default=str))


service = UtilMeta("shop", name="shop", backend="flask")
service.use(DjangoSettings(apps=["shop"], database_routers=["__main__.Notes"]))
service.use(
    DatabaseConnections(
        {
            "default": Database(name="default.sqlite3"),
            "one": Database(name="one.sqlite3", replica_of="default"),
            "two": Database(name="two.sqlite3", replica_of="default"),
            "notes": Database(name="notes.sqlite3"),
            "three": Database(name="three.sqlite3", replica_of="notes"),
            "alone": Database(name="alone.sqlite3"),
        }
    )
)
service.setup()
from django.db import connections, models, router, transaction
from shop.models import Product


class Note(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "shop"

    def __str__(self):
        return self.name


for alias in connections:
    with connections[alias].schema_editor() as editor:
        for model in Product, Note:
            editor.create_model(model)
    Product.objects.using(alias).bulk_create([Product(name=alias, price=1)])
    Note.objects.using(alias).bulk_create([Note(name=alias)])


def read(queryset):
    return sorted({item.name for _ in range(40) for item in queryset.all()})
"""


def facts(folder: Path, text: str) -> Any:
    return script(write(folder, SHOP), SCRIPT + text).facts


def test_each_primary_is_read_from_its_own_replicas(tmp_path: Path) -> None:
    text = """
tell(products=read(Product.objects), notes=read(Note.objects),
     alone=read(Product.objects.using("alone")))
"""
    assert facts(tmp_path, text) == {
        "products": ["one", "two"],
        "notes": ["three"],
        "alone": ["alone"],
    }


def test_a_transaction_reads_what_it_wrote_and_leaves_other_primaries_alone(tmp_path: Path) -> None:
    text = """
with transaction.atomic():
    default = [read(Product.objects), read(Note.objects)]
with transaction.atomic(using="notes"):
    notes = [read(Note.objects), "default" in read(Product.objects)]
tell(default=default, notes=notes, after=read(Note.objects))
"""
    assert facts(tmp_path, text) == {
        "default": [["default"], ["three"]],
        "notes": [["notes"], False],
        "after": ["three"],
    }


def test_rows_of_a_replica_are_written_to_its_primary(tmp_path: Path) -> None:
    text = """
product = Product.objects.get(pk=1)
came = product._state.db
product.name = "saved"
product.save()
note = Note.objects.get(pk=1)
note.name = "noted"
note.save()
added = Note.objects.create(name="added")
Product.objects.filter(pk=1).update(price=7)
locked = Product.objects.select_for_update()
tell(came=came in ("one", "two"), went=product._state.db, noted=note._state.db,
     added=added._state.db, locked=locked.none().db,
     stored={alias: [p.name for p in Product.objects.using(alias)]
             for alias in ("default", "one", "two")},
     notes={alias: [n.name for n in Note.objects.using(alias)] for alias in ("notes", "three")})
"""
    done = facts(tmp_path, text)
    assert done == {
        "came": True,
        "went": "default",
        "noted": "notes",
        "added": "notes",
        "locked": "default",
        "stored": {"default": ["saved"], "one": ["one"], "two": ["two"]},
        "notes": {"notes": ["noted", "added"], "three": ["three"]},
    }


def test_what_belongs_to_a_row_is_read_where_the_row_is(tmp_path: Path) -> None:
    text = """
product = Product.objects.using("default").get(pk=1)
fresh = []
for number in range(20):
    product.name = f"now {number}"
    product.save()
    product.refresh_from_db()
    fresh.append(product.name == f"now {number}")
other = Product.objects.using("two").get(pk=1)
other.refresh_from_db()
with transaction.atomic():
    other.refresh_from_db()
tell(fresh=all(fresh), inside=other.name, related=router.allow_relation(product, other))
"""
    done = facts(tmp_path, text)
    assert done == {"fresh": True, "inside": "now 19", "related": True}


def test_a_replica_that_is_away_is_passed_over_and_read_again_later(tmp_path: Path) -> None:
    text = """
from utilmeta.core.orm.connections import routers

for alias in ("one", "two", "three"):
    connections[alias].close()
logging.disable()
os.rename("one.sqlite3", "gone")
os.mkdir("one.sqlite3")
without_one = read(Product.objects)
os.rename("two.sqlite3", "gone too")
os.mkdir("two.sqlite3")
connections["two"].close()
without_any = read(Product.objects)
for alias, file in (("one", "gone"), ("two", "gone too")):
    os.rmdir(f"{alias}.sqlite3")
    os.rename(file, f"{alias}.sqlite3")
at_once = read(Product.objects)
routers.AWAY_SECONDS = 0
for item in router.routers:
    getattr(item, "_away", {}).clear()
tell(without_one=without_one, without_any=without_any, at_once=at_once,
     later=read(Product.objects), notes=read(Note.objects))
"""
    assert facts(tmp_path, text) == {
        "without_one": ["two"],
        "without_any": ["default"],
        "at_once": ["default"],
        "later": ["one", "two"],
        "notes": ["three"],
    }


def test_async_reads_go_to_replicas_too(tmp_path: Path) -> None:
    text = """
import asyncio


async def work():
    product = await Product.objects.aget(pk=1)
    product.name = "async"
    await product.asave()
    return product._state.db


async def all_names():
    return sorted({item.name for _ in range(40) async for item in Product.objects.all()})


tell(wrote=asyncio.run(work()), names=asyncio.run(all_names()))
"""
    assert facts(tmp_path, text) == {"wrote": "default", "names": ["one", "two"]}
