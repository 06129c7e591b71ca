"""What the commands of `tusk` share: how errors end, options, output, progress."""

import sys
import time

import click

SOME_FILES_SKIPPED = 3
INTERRUPTED = 130


class Program(click.Group):
    """Turns errors into one line and an exit code."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("tusk: interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"tusk: {error or type(error).__name__}", err=True)
            ctx.exit(1)


def lake_argument(command):
    return click.argument("lake", metavar="LAKE")(command)


def at_option(command):
    return click.option(
        "--at",
        metavar="VERSION",
        callback=version_or_moment,
        help="Look at the lake as of a joint version, a tag, or a time such as 2026-11-20T08:00Z.",
    )(command)


def version_argument(command):
    return click.argument("version", metavar="VERSION", callback=version_or_moment)(command)


def version_or_moment(_ctx, _parameter, text):
    """A number, the name of a tag, or the datetime that an ISO 8601 text means."""
    import datetime

    if text is None or text.isdigit():
        return None if text is None else int(text)
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return text


def message_options(command):
    author = click.option("--author", default="", help="Who did it. [default: your login name]")
    return click.option("--message", "-m", default="", help="What the log says about this.")(
        author(command)
    )


def property_option(command):
    return click.option(
        "--property",
        "properties",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_pairs,
        help="Stored with the joint version; may be given several times.",
    )(command)


def _pairs(_ctx, _parameter, texts):
    for text in texts:
        if "=" not in text:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE")
    return dict(text.split("=", 1) for text in texts)


def duration_option(name, default, help):
    return click.option(
        name, default=default, show_default=True, metavar="TIME", callback=_duration, help=help
    )


def _duration(_ctx, _parameter, text):
    """The timedelta that "14d", "36h", "10m" or "0s" means."""
    import datetime

    if text is None:
        return None
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    if text[-1:] not in units or not text[:-1].isdigit():
        raise click.BadParameter(f"{text!r} is no time such as 14d, 36h, 10m or 30s")
    return datetime.timedelta(**{units[text[-1]]: int(text[:-1])})


def login_name():
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def json_option(command):
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")(
        command
    )


def write(columns, rows, as_json):
    from tusk.text_table import write_json, write_text

    (write_json if as_json else write_text)(columns, rows, click.echo)


def write_relation(relation, as_json):
    """Streams the rows of a DuckDB relation; a statement without rows gives none."""
    if relation is None:
        return
    reader = relation.to_arrow_reader(10_000)
    rows = (
        row for batch in reader for row in zip(*(column.to_pylist() for column in batch.columns))
    )
    write(reader.schema.names, rows, as_json)


class Progress:
    """A bar on a terminal, a line every few seconds elsewhere; both on standard error."""

    _SECONDS_BETWEEN_LINES = 5

    def __init__(self):
        self._bar = None
        self._tasks = {}
        self._next_line = time.monotonic() + self._SECONDS_BETWEEN_LINES

    def __enter__(self):
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what, done, total):
        total = None if total < 0 else total
        if self._bar is not None:
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what, total=total)
            self._bar.update(self._tasks[what], completed=done, total=total)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._SECONDS_BETWEEN_LINES
            click.echo(f"{what}: {done}" + ("" if total is None else f" of {total}"), err=True)
