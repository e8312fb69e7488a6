"""Measurements of Headrace beside other servers. Nothing in the product imports this package."""
