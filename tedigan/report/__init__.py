"""The pages that a person reads: values and picture bytes -> one self-contained HTML text, by templates.

Python counts and orders, templates/ holds every word and tag. No file is opened here but the templates, by jinja.
"""
