"""The parts of the compiler: from a loaded document to the plain data a run works on."""
