from datetime import UTC, datetime

from domain.article.models import Article
from utilmeta.core import api


class ArticleAPI(api.API):
    @api.post
    def add(self, title: str):
        made = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
        return Article.objects.create(title=title, created_at=made).pk

    @api.get
    def titles(self):
        return list(Article.objects.order_by("pk").values("title", "created_at"))
