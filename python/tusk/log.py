"""The logger of pylance's name. tusk itself writes nothing to it."""

import logging
import os

_FORMAT = "%(asctime)s %(name)s [%(levelname)s] %(filename)s:%(lineno)d %(funcName)s : %(message)s"
ENV_NAME_PYLANCE_LOGGING_LEVEL = "LANCE_LOG"


def get_python_log_level(rust_log_level):
    """The level of Python that a level of LANCE_LOG means."""
    return "DEBUG" if rust_log_level.lower() == "trace" else rust_log_level


def get_log_level():
    """The level in the environment variable LANCE_LOG, INFO if it has none for all."""
    levels = os.environ.get(ENV_NAME_PYLANCE_LOGGING_LEVEL, "").upper().split(",")
    general = [level for level in levels if level and "=" not in level]
    return get_python_log_level(general[0]) if general else "INFO"


LOGGER = logging.getLogger("pylance")


def set_logger(
    file_path="pylance.log",
    name="pylance",
    level=logging.INFO,
    format_string=None,
    log_handler=None,
):
    """Sets up the logger `name`: it writes to `log_handler`, or to the file `file_path`."""
    global LOGGER
    handler = logging.FileHandler(file_path) if log_handler is None else log_handler
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(format_string or _FORMAT))
    LOGGER = logging.getLogger(name)
    LOGGER.setLevel(level)
    LOGGER.addHandler(handler)
