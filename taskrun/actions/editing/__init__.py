"""Changing a part of a text while the rest of it stays, byte for byte, as it is.

``lines`` and ``blocks`` work on any text. The others know one format each and have one function,
``put(text, keys, value) -> text``; what comes out is read again by a real parser of that format, and unless it is
exactly the old document with the one value changed, nothing is written: see ``documents``.
"""
