"""`headrace demo`: the whole loop on real data, under live traffic, with every failure counted.

A user of the product like any other: it speaks to it by command line, SDK, HTTP and gRPC only.
"""
