from utilmeta import UtilMeta


def configure(service: UtilMeta):
    from utilmeta.core.orm import Database, DatabaseConnections
    from utilmeta.core.server.backends.django import DjangoSettings

    service.use(DjangoSettings(apps=["user"], secret_key="only-an-example"))
    service.use(DatabaseConnections({"default": Database(name="db", engine="sqlite3")}))
