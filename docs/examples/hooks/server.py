"""Hooks: before, after and for errors, with targets and parameters of their own."""

import os

from utilmeta import UtilMeta
from utilmeta.core import api, request
from utilmeta.core.response import Response
from utilmeta.utils import exceptions

NOTES = {1: "buy milk"}
OWNERS = {1: "ann"}


class NoteAPI(api.API):
    @api.get("{id}")
    def read(self, id: int):
        return {"note": NOTES[id], "by": self.user}

    @api.put("{id}")
    def write(self, id: int, text: str = request.BodyParam):
        NOTES[id] = text
        return {"note": text}

    # A hook reads the request like an endpoint; an endpoint, a class or a route is its target.
    @api.before(write)
    def check_owner(self, id: int = request.PathParam):
        if OWNERS.get(id) != self.user:
            raise exceptions.PermissionDenied("not yours")

    # What no other hook has answered for: here a key that is not there.
    @api.handle(KeyError)
    def handle_missing(self, error: api.Error):
        return Response({"error": "no such note"}, status=404)

    user: str = request.HeaderParam("nobody", alias="X-User")


class RootAPI(api.API):
    notes: NoteAPI

    @api.get
    def health(self):
        return "ok"

    # '*' is everything below this class.
    @api.before("*", excludes=health)
    def authenticate(self, x_user: str = request.HeaderParam("")):
        if not x_user:
            raise exceptions.Unauthorized("say who you are in X-User")

    @api.after("*")
    def stamp(self, response: Response):
        response.headers["X-Served-By"] = "notes"

    @api.handle(exceptions.Unauthorized)
    def log_refusal(self, error: api.Error):
        # None leaves the answer as it would have been.
        print("refused:", error.message)


service = UtilMeta(
    __name__,
    name="notes",
    backend=os.environ.get("BACKEND", "django"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
app = service.application()

if __name__ == "__main__":
    service.run()
