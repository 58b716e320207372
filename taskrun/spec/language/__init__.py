"""The expression language: tokens, tree, functions and evaluation. Its door is ``taskrun.spec.expressions``."""
