"""A lake, or one of its tables, at a glance: as plain dicts, and as text."""

from tusk import _tusk
from tusk.text_table import printable, write_text

_SHOWN_VERSIONS = 10


def of_lake(lake):
    """Versions, tags and tables of a lake, as a dict."""
    log = lake.log()
    newest = log[0] if log else None
    return {
        "lake": lake.uri,
        "catalog": lake.catalog_name,
        "joint_version": lake.fixed_at or (newest.number if newest else 0),
        "time": newest.time.isoformat() if newest else None,
        "message": newest.message if newest else None,
        "joint_versions": len(log),
        "given_up": sum(entry.given_up for entry in log),
        "tags": {tag.name: tag.version for tag in lake.tags()},
        "tables": [_overview(table) for table in _tusk.show_tables(lake._lake)],
    }


def of_table(lake, name):
    """One table with its columns and the joint versions that changed it, as a dict."""
    table = lake.table(name)
    found = next(one for one in _tusk.show_tables(lake._lake) if one.name == name)
    changes = [
        {
            "joint_version": entry.number,
            "time": entry.time.isoformat(),
            "version": change.version,
            "added_rows": change.added_rows,
            "tags": entry.tags,
            "given_up": entry.given_up,
            "message": entry.message,
        }
        for entry in lake.log()
        for change in entry.changes
        if change.name == name
    ]
    columns = [
        {"name": field.name, "type": str(field.type), "nullable": field.nullable}
        for field in table.schema
    ]
    return {**_overview(found), "columns": columns, "changes": changes}


def _overview(table):
    fields = ("name", "kind", "location", "version", "rows", "files", "bytes", "indices", "model",
              "health")  # fmt: skip
    return {field: getattr(table, field) for field in fields}


def _number(value):
    return "?" if value is None else f"{value:,}"


def write_lake(found, write):
    write(f"Lake {found['lake']}, catalog {found['catalog']!r}")
    if not found["joint_versions"]:
        write("no joint versions yet: the lake is empty")
        return
    given_up = f", {found['given_up']} of them given up" if found["given_up"] else ""
    write(
        f"joint version {found['joint_version']} of {found['time'][:19].replace('T', ' ')} UTC:"
        f" {printable(found['message'])}"
    )
    write(f"{found['joint_versions']} joint versions{given_up}")
    if found["tags"]:
        tags = ", ".join(f"{name} ({number})" for name, number in found["tags"].items())
        write(f"tags: {tags}")
    write("")
    rows = [
        (
            table["name"],
            table["kind"],
            _number(table["rows"]),
            _number(table["bytes"]),
            str(table["version"]),
            ", ".join(table["indices"]) or "-",
            table["model"] or "-",
            table["health"],
        )
        for table in found["tables"]
    ]
    write_text(["table", "kind", "rows", "bytes", "version", "indices", "vectors of", "health"], rows, write)


def write_table(found, write):
    what = "version" if found["kind"] == "lance" else "snapshot"
    write(f"{found['name']}: {found['kind']} table at {what} {found['version']}")
    write(f"{_number(found['rows'])} rows, {_number(found['bytes'])} bytes in {_number(found['files'])} files")
    write(f"location: {found['location']}")
    write(f"vectors of: {found['model'] or '-'}")
    write(f"indices: {', '.join(found['indices']) or 'none'}")
    write(f"health: {found['health']}")
    write("")
    columns = [(c["name"], c["type"], "yes" if c["nullable"] else "no") for c in found["columns"]]
    write_text(["column", "type", "nullable"], columns, write)
    write("")
    changes = [
        (
            change["joint_version"],
            change["time"][:19].replace("T", " "),
            str(change["version"]),
            f"{change['added_rows']:+,}",
            ", ".join(change["tags"]) + (" given up" if change["given_up"] else ""),
            change["message"],
        )
        for change in found["changes"][:_SHOWN_VERSIONS]
    ]
    write_text(["joint version", "time (UTC)", what, "rows", "tags", "message"], changes, write)
    if len(found["changes"]) > _SHOWN_VERSIONS:
        write(f"... and {len(found['changes']) - _SHOWN_VERSIONS} earlier ones: tusk log")
