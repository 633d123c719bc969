"""Finds the service of this process without importing the module that made it."""

from utilmeta import service
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def service(self):
        return {
            "name": service.name,
            "description": service.description,
            "production": service.production,
            "host": service.host,
            "version": service.version,
            "asynchronous": service.asynchronous,
        }
