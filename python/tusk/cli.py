"""The command line `tusk`: arguments in, one call of the Python API, its answer out.

Exit codes: 0 all is well; 1 it failed, with one message on standard error; 2 wrong usage; 3 some
files of an ingestion were skipped (the rest is committed); 130 interrupted by Ctrl-C.
"""

import os
import sys

import click

from tusk import __version__, cli_history
from tusk.cli_parts import (
    SOME_FILES_SKIPPED,
    Program,
    Progress,
    at_option,
    json_option,
    lake_argument,
    login_name,
    message_options,
    property_option,
    write,
    write_relation,
)

_MOST_HITS = 2**31 - 1


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tusk")
@click.option("--debug", is_flag=True, envvar="TUSK_DEBUG", help="Show where an error came from.")
def cli(debug):
    """Lakes of Lance and Iceberg tables under one history.

    \b
    tusk init LAKE
    tusk ingest LAKE photos/ --name media.photos --label-from folder
    tusk search LAKE media.photos --image query.jpg -k 10
    tusk sql LAKE "select label, count(*) from media.photos_meta group by all"
    tusk log LAKE
    tusk show LAKE
    tusk diff LAKE 1 2
    tusk doctor LAKE
    tusk inspect FILE_OR_TABLE

    Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 some files were skipped, 130 interrupted.
    """


cli_history.add_to(cli)


@cli.command()
@lake_argument
def init(lake):
    """Make an empty lake in the folder LAKE.

    \b
    tusk init LAKE
    """
    import tusk

    made = tusk.init(lake)
    click.echo(
        f"Made an empty lake in {lake}."
        f" Iceberg clients open its catalog by the name {made.catalog_name!r}."
    )


@cli.command()
@lake_argument
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--name",
    required=True,
    metavar="NAME",
    help="The Lance table, such as media.photos; metadata goes to NAME_meta.",
)
@click.option(
    "--label-from",
    metavar="folder|FILE",
    help="Label each file with the name of its folder, or by a CSV or JSON Lines file with the columns"
    " path (relative to FOLDER) and label.",
)
@click.option(
    "--encoder",
    default="pixels",
    show_default=True,
    help="What makes the vectors: pixels (pictures), trigrams (texts), none, onnx:FILE,"
    " open_clip:MODEL/WEIGHTS, whisper:MODEL, or MODULE:NAME of your own.",
)
@click.option(
    "--media",
    default="inline",
    show_default=True,
    type=click.Choice(["inline", "reference"]),
    help="Keep the bytes of the files in the table, or their paths.",
)
@click.option("--commit-rows", type=click.IntRange(1), help="Commit after so many files. [100000]")
@click.option("--commit-bytes", type=click.IntRange(1), help="... or so many bytes. [4 GiB]")
@click.option("--commit-seconds", type=click.FloatRange(0.001), help="... or so long. [300]")
@click.option("--batch-files", type=click.IntRange(1), help="Files in memory at once. [256]")
@click.option("--batch-bytes", type=click.IntRange(1), help="Bytes in memory at once. [64 MiB]")
@message_options
@property_option
@click.pass_context
def ingest(ctx, lake, folder, name, label_from, encoder, author, **options):
    """Add the files in FOLDER to a table of LAKE, in joint commits.

    Files that the table has already are counted and left out. Files that cannot be read, or that the
    encoder does not take, are listed, and the exit code is 3. After Ctrl-C the tables have what was
    committed so far, on both sides; the same command adds the rest.

    \b
    tusk ingest LAKE digits/ --name media.digits --label-from folder
    tusk ingest LAKE texts/ --name docs.texts --encoder trigrams --label-from labels.csv
    tusk ingest LAKE videos/ --name media.videos --encoder none --media reference
    """
    import tusk
    from tusk.text_table import printable

    with Progress() as progress:
        report = tusk.connect(lake).ingest(
            folder,
            name,
            label_from=label_from,
            encoder=encoder,
            author=author or login_name(),
            progress=progress,
            **options,
        )
    for skipped in report.skipped:
        click.echo(printable(f"skipped {skipped.path}: {skipped.reason}"), err=True)
    counts = f"{report.duplicates} duplicates, {len(report.skipped)} skipped"
    if report.unlabelled:
        counts += f", {report.unlabelled} without a label"
    if report.joint_version is None:
        click.echo(f"Nothing new among {report.files} files: {counts}.")
    else:
        last = f", the last of {report.commits} commits" if report.commits > 1 else ""
        click.echo(
            f"Joint version {report.joint_version}{last}: added {report.added} of {report.files} files"
            f" ({report.added_bytes:,} bytes) to {name}; {counts}."
        )
        if report.seconds.total > 1:
            click.echo(_rate(report), err=True)
    if report.skipped:
        ctx.exit(SOME_FILES_SKIPPED)


def _rate(report):
    """How fast it was, and what limited it."""
    seconds = report.seconds
    parts = {name: getattr(seconds, name) for name in ("reading", "decoding", "encoding", "writing")}
    most = max(parts, key=parts.get)
    rates = ", ".join(f"{name} {spent:.1f} s" for name, spent in parts.items())
    return (
        f"{report.added / seconds.total:,.0f} files/s, {report.added_bytes / seconds.total / 1e6:,.1f}"
        f" MB/s, most of the time in {most} ({rates})"
    )


@cli.command()
@lake_argument
@click.argument("table")
@click.option(
    "--image",
    "--file",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="The picture, or other file, to look for.",
)
@click.option("--encoder", help="What made the table's vectors, if it is not built in.")
@click.option(
    "-k",
    default=10,
    show_default=True,
    type=click.IntRange(1, _MOST_HITS),
    help="How many hits.",
)
@click.option(
    "--metric", default="l2", show_default=True, type=click.Choice(["l2", "cosine", "dot"])
)
@click.option(
    "--sql",
    "query",
    metavar="QUERY",
    help="Show this statement over the hits instead; they are the table hits in it.",
)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, writable=True),
    help="Write the hits to this HTML file, with their pictures in it.",
)
@at_option
@json_option
def search(lake, table, image, encoder, k, metric, query, sheet, at, as_json):
    """Find the rows of TABLE that are nearest to a picture.

    Shows label (from TABLE_meta), distance and content id, nearest first.

    \b
    tusk search LAKE media.digits --image digits/7/0007.png -k 10
    tusk search LAKE media.digits --image digits/7/0007.png -k 50 --sheet sevens.html
    tusk search LAKE media.digits --image digits/7/0007.png -k 50 --sql \\
        "select m.label, count(*) from hits join media.digits_meta m using (content_id) group by all"
    """
    import tusk
    from tusk.sheet import labels_of, write_sheet

    opened = tusk.connect(lake, at=at)
    if sheet is not None:
        if query is not None or as_json:
            raise click.UsageError("--sheet goes without --sql and --json")
        shown = write_sheet(sheet, opened, table, image, k, metric=metric, encoder=encoder)
        click.echo(f"Wrote {shown.num_rows} hits to {sheet}.")
        return
    hits = opened.search(table, image, k, metric=metric, encoder=encoder)
    if query is not None:
        write_relation(opened.sql(query, hits=hits), as_json)
        return
    columns = hits.to_pydict()
    distances = columns.pop("_distance")
    content_ids = columns.get("content_id")
    labels = None if content_ids is None else labels_of(opened, table, content_ids)
    shown = {**({} if labels is None else {"label": labels}), "distance": distances, **columns}
    write(list(shown), zip(*shown.values()), as_json)


@cli.command()
@lake_argument
@click.argument("query")
@at_option
@json_option
def sql(lake, query, at, as_json):
    """Run one SQL statement over the tables of LAKE, Lance and Iceberg.

    \b
    tusk sql LAKE "select label, split, count(*) from media.digits_meta group by all"
    tusk sql LAKE --at 1 "select count(*) from media.digits"
    """
    import tusk

    write_relation(tusk.connect(lake, at=at).sql(query), as_json)


@cli.command()
@lake_argument
@click.option("-n", "--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@json_option
def log(lake, limit, as_json):
    """Show the joint versions of LAKE, newest first.

    \b
    tusk log LAKE -n 5
    """
    import tusk

    entries = tusk.connect(lake).log(limit)
    for entry in entries:
        if as_json:
            _write_log_entry_json(entry)
        else:
            _write_log_entry(entry)
    if not entries:
        click.echo("no joint versions yet: the lake is empty", err=True)


def _write_log_entry(entry):
    head = [f"joint version {entry.number}", f"{entry.time:%Y-%m-%d %H:%M:%S} UTC", entry.author]
    head += [f"[{', '.join(entry.tags)}]" if entry.tags else "", "given up" if entry.given_up else ""]
    click.echo("  ".join(part for part in head if part))
    if entry.message:
        click.echo(f"    {entry.message}")
    for key, value in sorted(entry.properties.items()):
        if not key.startswith("tusk."):
            click.echo(f"    {key}={value}")
    width = max([len(change.name) for change in entry.changes], default=0)
    for change in entry.changes:
        what = "version" if change.kind == "lance" else "snapshot"
        state = f"{what} {change.version}"
        click.echo(
            f"    {change.name:{width}}  {change.kind:7}  {state}  {change.added_rows:+} rows"
        )


def _write_log_entry_json(entry):
    import dataclasses
    import json

    click.echo(json.dumps({**dataclasses.asdict(entry), "time": entry.time.isoformat()}))


@cli.command()
@lake_argument
@at_option
@json_option
def tables(lake, at, as_json):
    """List the tables of LAKE.

    \b
    tusk tables LAKE
    """
    import tusk

    opened = tusk.connect(lake, at=at)
    rows = [(e.name, e.kind, e.version, opened.table(e.name).count_rows()) for e in opened.tables()]
    write(["name", "kind", "version", "rows"], rows, as_json)


@cli.command()
@lake_argument
@click.argument("table", required=False)
@at_option
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
def show(lake, table, at, as_json):
    """Show a lake at a glance: its versions, tags and tables; or one table with its columns and
    history.

    Health is "drifted" where another program changed a table alone, and why where a table cannot be
    opened. Whether every file is there, `tusk doctor` tells.

    \b
    tusk show LAKE
    tusk show LAKE media.digits
    """
    import json

    import tusk
    from tusk import show as shown

    opened = tusk.connect(lake, at=at)
    found = shown.of_lake(opened) if table is None else shown.of_table(opened, table)
    if as_json:
        click.echo(json.dumps(found, default=str))
    else:
        (shown.write_lake if table is None else shown.write_table)(found, click.echo)


@cli.command()
@click.argument("path", metavar="FILE_OR_TABLE")
@click.option("--pages", is_flag=True, help="One line per page of a file.")
@click.option("--verify", is_flag=True, help="Read all bytes instead, and tell what is damaged.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
def inspect(path, pages, verify, as_json):
    """Show how a Lance file, or the newest version of a Lance table, is stored.

    One line per physical column: its type, pages, values, bytes, and how many pages have which
    layout and codecs. Bytes are those of pages, without metadata.

    With --verify all of it is read: what tusk wrote is compared with its checksums, other files are
    decoded. The exit code is 1 if something is damaged.

    \b
    tusk inspect vectors.lance
    tusk inspect --pages vectors.lance/data/0.lance
    tusk inspect --verify vectors.lance
    """
    import json

    from tusk import describe

    if verify:
        if pages:
            raise click.UsageError("--verify does not go with --pages")
        _write_verification(path, describe.verify(path), as_json)
        return
    if describe.is_table(path):
        if pages:
            raise click.UsageError(f"--pages is for a file, and {path} is a table")
        found = describe.describe_table(path)
    else:
        found = describe.describe_file(path, pages=pages)
    if as_json:
        click.echo(json.dumps(found))
        return
    if found["kind"] == "table":
        _write_table_summary(found)
        names = ["field", "type", "files", "pages", "values", "bytes", "bytes_per_value"]
    else:
        _write_file_summary(found)
        names = ["field", "type", "content", "pages", "values", "bytes", "bytes_per_value"]
    click.echo()
    if pages:
        _write_pages(found)
    else:
        shown = ([_shown(column, name) for name in names] for column in found["columns"])
        encodings = (_encodings(column["encodings"]) for column in found["columns"])
        rows = [[*row, encoding] for row, encoding in zip(shown, encodings)]
        write([_title(name) for name in names] + ["encodings"], rows, as_json=False)


def _title(name):
    return "bytes/value" if name == "bytes_per_value" else name


def _shown(part, name):
    value = part[name]
    return round(value, 2) if isinstance(value, float) else value


def _encodings(counts):
    """ "constant, 3x mini_block fsst > variable" """
    parts = (name if pages == 1 else f"{pages}x {name}" for name, pages in counts.items())
    return ", ".join(parts)


def _write_verification(path, found, as_json):
    if as_json:
        import json

        click.echo(json.dumps(found))
    else:
        for damage in found["damages"]:
            click.echo(damage)
        plain = found["files"] - found["files_with_checksums"]
        click.echo(
            f"read {found['bytes']:,} bytes in {found['files']:,} files,"
            f" {found['files_with_checksums']:,} of them with checksums"
            + (f"; {plain:,} without were decoded" if plain else "")
        )
    if found["damages"]:
        raise click.ClickException(f"{path}: {len(found['damages'])} damaged")


def _write_file_summary(found):
    click.echo(
        f"Lance file of data version {found['data_version']}: {found['rows']:,} rows in"
        f" {len(found['columns'])} physical columns, {found['bytes']:,} bytes"
    )
    sizes = [buffer["size"] for buffer in found["global_buffers"]]
    click.echo(
        f"{found['data_bytes']:,} bytes of pages, {found['column_metadata_bytes']:,} of column"
        f" metadata, {sum(sizes):,} in {len(sizes)} global buffers"
    )


def _write_table_summary(found):
    click.echo(
        f"Lance table at version {found['version']}, data version {found['data_version']}:"
        f" {found['rows']:,} rows in {found['fragments']:,} fragments,"
        f" {found['bytes']:,} bytes in {found['files']:,} files"
    )


def _write_pages(found):
    names = ["first_row", "rows", "values", "bytes", "bytes_per_value", "layout", "codecs"]
    rows = [
        [column["field"], number, *(_shown(page, name) for name in names)]
        for column in found["columns"]
        for number, page in enumerate(column["page_list"])
    ]
    write(["field", "page", *map(_title, names)], rows, as_json=False)


def main():
    cli(prog_name=os.path.basename(sys.argv[0]) if sys.argv else "tusk")


if __name__ == "__main__":
    main()
