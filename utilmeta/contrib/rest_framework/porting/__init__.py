"""View sets and serializers as the source of API classes and schemas, to go on from by hand."""

from utilmeta.contrib.rest_framework.porting.module import write_source

__all__ = ["write_source"]
