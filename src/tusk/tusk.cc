// Only gives the shared library a source of its own; the components are its content.
