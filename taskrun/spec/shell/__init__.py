"""A lexer of POSIX shell and bash scripts that finds out in which context each expression of a script stands."""
