"""The reader that the tests of generated files hold to pylance's words and values."""

import lance
import lance.file
import pytest


@pytest.fixture(scope="session")
def open_reader(request):
    """Opens the file of a path, `columns` of it if given, as pylance's LanceFileReader does."""
    if request.config.getoption("--reader") == "pylance":
        return lance.file.LanceFileReader
    import tusk.file

    return tusk.file.LanceFileReader


@pytest.fixture(scope="session")
def open_table(request):
    """Opens a table by path, as an object like pylance's LanceDataset."""
    if request.config.getoption("--reader") == "pylance":
        return lance.dataset
    import tusk

    return tusk.dataset
