"""Diagrams of workflows and runs (see ``spec.diagram``) as text: a tree, Mermaid, Graphviz."""
