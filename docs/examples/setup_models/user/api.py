from user.models import User
from utilmeta.core import api


class UserAPI(api.API):
    @api.get
    def names(self):
        return list(User.objects.order_by("name").values_list("name", flat=True))
