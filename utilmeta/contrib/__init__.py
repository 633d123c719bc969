"""Other packages beside this one: one room for each, called as the package is imported.

What a room's module `extension` holds as `EXTENSION` is found by `utilmeta.core.api.foreign` when a
class of that package, or one derived from it, is met in an annotation or is mounted.
"""
