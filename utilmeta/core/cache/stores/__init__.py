"""Where entries are kept, each kind of store behind the one interface of `stores.base`."""
