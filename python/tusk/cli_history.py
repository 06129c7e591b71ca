"""The commands of `tusk` about joint versions and about what lies in a lake."""

import click

from tusk.cli_parts import (
    Progress,
    duration_option,
    json_option,
    lake_argument,
    login_name,
    message_options,
    property_option,
    version_argument,
    version_or_moment,
    write,
)

DAMAGED = 1


def add_to(cli):
    for command in (tag, tags, diff, restore, adopt, doctor, retention, cleanup, optimize):
        cli.add_command(command)


@click.command()
@lake_argument
@click.argument("name")
@click.argument("version", required=False, metavar="[VERSION]", callback=version_or_moment)
@message_options
@click.option("--move", is_flag=True, help="Take the name from the version that has it.")
@click.option("--delete", is_flag=True, help="Take the tag away.")
def tag(lake, name, version, message, author, move, delete):
    """Name a joint version of LAKE, the newest one if none is given. No cleanup removes it then.

    \b
    tusk tag LAKE trained-2026-11 3
    tusk tag LAKE trained-2026-11 --delete
    """
    import tusk

    opened = tusk.connect(lake)
    if delete:
        if version is not None or move:
            raise click.UsageError("--delete takes a name only")
        opened.untag(name)
        click.echo(f"Deleted tag {name}.")
        return
    number = opened.tag(name, version, message=message, author=author or login_name(), move=move)
    click.echo(f"Joint version {number} is {name}.")


@click.command()
@lake_argument
@json_option
def tags(lake, as_json):
    """List the tags of LAKE.

    \b
    tusk tags LAKE
    """
    import tusk

    rows = [
        (t.name, t.version, t.time.strftime("%Y-%m-%d %H:%M:%S UTC"), t.author, t.message)
        for t in tusk.connect(lake).tags()
    ]
    write(["tag", "joint version", "set", "author", "message"], rows, as_json)


@click.command()
@lake_argument
@click.argument("before", metavar="BEFORE", callback=version_or_moment)
@click.argument("after", required=False, metavar="[AFTER]", callback=version_or_moment)
@click.option("--table", "tables", multiple=True, help="Only this table; may be given several times.")
@click.option("--id", "id_column", default="content_id", show_default=True, help="The id column.")
@click.option("--label", "label_column", default="label", show_default=True, help="What to count.")
@click.option("--ids", "max_listed", default=0, metavar="N", help="List so many ids of each kind.")
@json_option
def diff(lake, before, after, tables, id_column, label_column, max_listed, as_json):
    """Compare two joint versions of LAKE: ids added, removed and changed, and counts of labels.

    A version is a number, a tag or a time; AFTER is the newest one if it is left out.

    \b
    tusk diff LAKE 1 2
    tusk diff LAKE trained-2026-11 --ids 10
    """
    import tusk

    with Progress() as progress:
        found = tusk.connect(lake).diff(
            before,
            after,
            tables=tables,
            id_column=id_column,
            label_column=label_column,
            max_listed=max_listed,
            progress=progress,
        )
    if not found and not as_json:
        click.echo("The two are the same.")
    for table in found:
        (_write_diff_json if as_json else _write_diff)(table)


_DIFF_FIELDS = (
    "name", "kind", "rows_before", "rows_after", "schema_changed", "has_ids", "added", "removed",
    "changed", "added_ids", "removed_ids", "changed_ids",
)  # fmt: skip


def _write_diff_json(table):
    import json

    labels = [{"label": c.label, "before": c.before, "after": c.after} for c in table.labels]
    fields = {name: getattr(table, name) for name in _DIFF_FIELDS}
    click.echo(json.dumps({**fields, "labels": labels}))


def _write_diff(table):
    schema = ", another schema" if table.schema_changed else ""
    click.echo(
        f"{table.name} ({table.kind}): {table.rows_before:,} -> {table.rows_after:,} rows{schema}"
    )
    if table.has_ids:
        click.echo(f"    {table.added:,} added, {table.removed:,} removed, {table.changed:,} changed")
    else:
        click.echo("    no id column: rows are not compared")
    for sign, ids in (("+", table.added_ids), ("-", table.removed_ids), ("~", table.changed_ids)):
        for one in ids:
            click.echo(f"    {sign} {one}")
    changed = [count for count in table.labels if count.before != count.after]
    width = max([len(str(count.label)) for count in changed], default=0)
    for count in changed:
        label = "(none)" if count.label is None else count.label
        click.echo(
            f"    {label:{width}}  {count.before:,} -> {count.after:,}"
            f"  ({count.after - count.before:+,})"
        )


@click.command()
@lake_argument
@version_argument
@message_options
@property_option
def restore(lake, version, message, author, properties):
    """Make a joint version of LAKE whose tables are as they were at VERSION.

    Nothing is lost: the versions in between stay. Tables that were made later stay as they are.

    \b
    tusk restore LAKE 3
    """
    import tusk

    number = tusk.connect(lake).restore(
        version, message=message, author=author or login_name(), properties=properties
    )
    if number is None:
        click.echo(f"Nothing to do: the tables are as they were at {version}.")
    else:
        click.echo(f"Joint version {number}: the tables are as they were at {version}.")


@click.command()
@lake_argument
@message_options
@property_option
@click.option("--dry-run", is_flag=True, help="Only show what has drifted.")
def adopt(lake, message, author, properties, dry_run):
    """Take what other programs committed to tables of LAKE alone into its history.

    \b
    tusk adopt LAKE --dry-run
    tusk adopt LAKE -m "rows from Spark"
    """
    import tusk

    opened = tusk.connect(lake)
    for table in opened.drift():
        what = "version" if table.kind == "lance" else "snapshot"
        click.echo(
            f"{table.name} ({table.kind}): {what} {table.known_version} -> {table.foreign_version},"
            f" {table.known_rows:,} -> {table.foreign_rows:,} rows"
        )
    if dry_run:
        return
    number = opened.adopt(message=message, author=author or login_name(), properties=properties)
    click.echo("No table has drifted." if number is None else f"Joint version {number} has them.")


@click.command()
@lake_argument
@click.option("--clean", is_flag=True, help="Remove leftovers.")
@duration_option(
    "--older-than",
    "1d",
    "Younger leftovers stay: a writer that is at work may be about to commit them.",
)
@json_option
@click.pass_context
def doctor(ctx, lake, clean, older_than, as_json):
    """Compare every file of LAKE with what its versions need.

    Names leftovers of commits that did not become true, files that are missing, tables that other
    programs changed alone, and commits that wait for their publication (those are completed first).
    The exit code is 1 if rows are lost or a table cannot be judged.

    \b
    tusk doctor LAKE
    tusk doctor LAKE --clean
    """
    import tusk

    with Progress() as progress:
        report = tusk.connect(lake).examine(clean=clean, min_age=older_than, progress=progress)
    rows = [
        (
            f.kind + (" (removed)" if f.removed else " (young)" if f.is_young else ""),
            f.table,
            f.path,
            f.size_bytes,
            f.detail,
        )
        for f in report.findings
    ]
    if rows or as_json:
        write(["finding", "table", "path", "bytes", "what"], rows, as_json)
    if not as_json:
        click.echo(_doctor_summary(report, clean))
    if report.is_damaged:
        ctx.exit(DAMAGED)


def _doctor_summary(report, clean):
    if not report.findings:
        return "All is well: every file is there and needed."
    summary = f"{report.leftover_files:,} leftovers ({report.leftover_bytes:,} bytes)"
    if clean:
        return f"{summary}, {report.removed_files:,} removed ({report.removed_bytes:,} bytes)."
    return f"{summary}; --clean removes those that are not young."


@click.command()
@lake_argument
@duration_option("--older-than", None, "Versions may go that have not been the newest for longer.")
@click.option("--keep-last", type=int, metavar="N", help="Newest so many stay.")
@click.option("--clear", is_flag=True, help="Write nothing down: each cleanup decides.")
def retention(lake, older_than, keep_last, clear):
    """Show or set how long LAKE keeps joint versions. Cleanups go by it; versions with a tag stay.

    \b
    tusk retention LAKE --older-than 30d --keep-last 10
    """
    import tusk

    opened = tusk.connect(lake)
    rules = opened.retention()
    if clear:
        if older_than is not None or keep_last is not None:
            raise click.UsageError("--clear takes no rules")
        opened.set_retention()
    elif older_than is not None or keep_last is not None:
        # What is not named stays as it is.
        opened.set_retention(
            rules.older_than if older_than is None else older_than,
            rules.keep_last if keep_last is None else keep_last,
        )
    rules = opened.retention()
    unset = "not set: 14 days, or what a cleanup says"
    click.echo(f"older than: {unset if rules.older_than is None else rules.older_than}")
    unset = "not set: 1, or what a cleanup says"
    click.echo(f"keep last:  {unset if rules.keep_last is None else rules.keep_last}")


def cleanup_options(command):
    older_than = duration_option(
        "--older-than",
        None,
        "Versions that have not been the newest for longer than this go."
        " [default: see tusk retention]",
    )
    keep_last = click.option(
        "--keep-last",
        type=int,
        metavar="N",
        help="Newest so many stay. [default: see tusk retention]",
    )
    leftovers = duration_option(
        "--leftovers-older-than", "1d", "Leftovers older than this go too."
    )
    return older_than(keep_last(leftovers(command)))


@click.command()
@lake_argument
@cleanup_options
@click.option("--dry-run", is_flag=True, help="Only say which versions would go.")
@click.option("--author", default="", help="Who did it. [default: your login name]")
def cleanup(lake, older_than, keep_last, leftovers_older_than, dry_run, author):
    """Give up old joint versions of LAKE and remove what only they needed, on both sides.

    Versions with a tag stay, and so does what tags and branches of the tables' own formats name and
    what other programs committed meanwhile.

    \b
    tusk cleanup LAKE --older-than 30d --keep-last 10 --dry-run
    """
    import tusk

    with Progress() as progress:
        report = tusk.connect(lake).cleanup(
            older_than=older_than,
            keep_last=keep_last,
            dry_run=dry_run,
            min_age=leftovers_older_than,
            author=author or login_name(),
            progress=progress,
        )
    _say_cleanup(report, dry_run)


def _say_cleanup(report, dry_run=False):
    for skipped in report.skipped:
        click.echo(f"left alone: {skipped}", err=True)
    given_up = ", ".join(map(str, report.given_up)) or "none"
    if dry_run:
        click.echo(f"Joint versions that would go: {given_up}.")
        return
    click.echo(f"Joint versions given up: {given_up}.")
    click.echo(
        f"Removed {report.lance_versions:,} versions of Lance tables and {report.iceberg_snapshots:,}"
        f" snapshots of Iceberg tables; {report.removed_files:,} files"
        f" ({report.removed_bytes:,} bytes)."
    )


@click.command()
@lake_argument
@click.option(
    "--table", "tables", multiple=True, metavar="TABLE", help="Only this one; may be repeated."
)
@cleanup_options
@click.option("--no-cleanup", is_flag=True, help="Only put files together.")
@click.option("--author", default="", help="Who did it. [default: your login name]")
def optimize(lake, tables, older_than, keep_last, leftovers_older_than, no_cleanup, author):
    """Keep LAKE fast: put small files of its tables together, drop deleted rows, clean up.

    Tables of both kinds are done, each in a joint version; one that fails does not hold up the
    others. May be run after every ingestion.

    \b
    tusk optimize LAKE
    tusk optimize LAKE --table media.photos --no-cleanup
    """
    import tusk

    with Progress() as progress:
        report = tusk.connect(lake).optimize(
            tables or None,
            clean_up=not no_cleanup,
            older_than=older_than,
            keep_last=keep_last,
            min_age=leftovers_older_than,
            author=author or login_name(),
            progress=progress,
        )
    for table in report.tables:
        if table.error is not None:
            click.echo(f"failed: {table.error}", err=True)
        elif table.version is None:
            click.echo(f"{table.name}: nothing to do.")
        else:
            click.echo(
                f"{table.name}: {table.files_removed:,} files became {table.files_added:,}"
                f" (joint version {table.version})."
            )
    if report.cleanup_error is not None:
        click.echo(f"failed: {report.cleanup_error}", err=True)
    if report.cleanup is not None:
        _say_cleanup(report.cleanup)
    if report.cleanup_error is not None or any(table.error for table in report.tables):
        raise click.exceptions.Exit(1)
