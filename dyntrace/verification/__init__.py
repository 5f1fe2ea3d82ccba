"""Verification: a function run eagerly and optimised, compared.

Read `verification.verification` first.
"""
