"""The rooms of the framework; see the design page of the documentation for their order."""
