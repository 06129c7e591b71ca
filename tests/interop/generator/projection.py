"""Projections down to a nested field: their paths, and what of a plain array they leave."""

import pyarrow as pa


def paths(field, prefix=""):
    """The paths of `field` and of all below it that pylance reads alone; of maps the whole."""
    path = prefix + field.name
    found = [path]
    type_ = field.type
    if isinstance(type_, pa.BaseExtensionType) or pa.types.is_map(type_) or _is_packed(field):
        return found
    if pa.types.is_struct(type_):
        for child in type_:
            found += paths(child, f"{path}.")
    elif pa.types.is_nested(type_):
        found += paths(type_.value_field, f"{path}.")
    return found


def _is_packed(field):
    """pylance reads foreign bytes for a child of a packed struct that it is asked for alone."""
    return (field.metadata or {}).get(b"lance-encoding:packed") == b"true"


def project(columns, wanted):
    """Of the plain arrays `columns`, by name, what is left of them under the paths `wanted`."""
    tree = {}
    for path in wanted:
        _add(tree, columns, path.split("."))
    return {name: _prune(columns[name], below) for name, below in tree.items()}


def _add(tree, below, names):
    """Adds to `tree` the child `names` of `below`, columns or a type, behind what stands there."""
    if not isinstance(below, dict):
        below = {below.field(i).name: below.field(i) for i in range(below.num_fields)}
    children = below if not names else {names[0]: below[names[0]]}
    for name, child in children.items():
        branch = tree.setdefault(name, {})
        if pa.types.is_nested(child.type) and not pa.types.is_map(child.type):
            _add(branch, child.type, names[1:])


def _prune(array, below):
    type_ = array.type
    if not pa.types.is_nested(type_) or pa.types.is_map(type_) or not below:
        return array
    is_null = array.is_null() if array.null_count else None
    if pa.types.is_struct(type_):
        children = [_prune(array.field(name), rest) for name, rest in below.items()]
        fields = [type_.field(name).with_type(child.type) for name, child in zip(below, children)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=is_null)
    items = _prune(array.values, next(iter(below.values())))
    field = type_.value_field.with_type(items.type)
    if pa.types.is_fixed_size_list(type_):
        return pa.FixedSizeListArray.from_arrays(
            items, type=pa.list_(field, type_.list_size), mask=is_null
        )
    if pa.types.is_list(type_):
        return pa.ListArray.from_arrays(array.offsets, items, pa.list_(field), mask=is_null)
    return pa.LargeListArray.from_arrays(array.offsets, items, pa.large_list(field), mask=is_null)
