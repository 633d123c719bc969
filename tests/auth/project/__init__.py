"""An app with the models that users of a service need, installed for the tests of this folder."""
