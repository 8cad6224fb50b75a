"""The page that a person reads: plain values and picture bytes -> one self-contained HTML text. Opens no file."""
