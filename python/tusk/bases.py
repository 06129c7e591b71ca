"""Base paths of Lance tables in the names of pylance: places beside a table's root for its files."""

import collections.abc

from tusk import _tusk


def checked_store_params(base_store_params):
    """The options of the stores of base paths, by path; None of None. TypeError for what is not."""
    if base_store_params is None:
        return None
    if not isinstance(base_store_params, collections.abc.Mapping):
        raise TypeError(
            f"base_store_params must be a dict of dicts, not {type(base_store_params).__name__}"
        )
    for path, options in base_store_params.items():
        if not isinstance(options, collections.abc.Mapping):
            raise TypeError(
                f"base_store_params[{path!r}] must be a dict, not {type(options).__name__}"
            )
    return {str(path): dict(options) for path, options in base_store_params.items()}


def to_base_targets(
    initial_bases=None, target_bases=None, target_all_bases=None, base_store_params=None
):
    """Where new data files go, as the library takes it. Parameters as in `write_dataset`."""
    targets = _tusk.LanceBaseTargets()
    targets.initial_bases = [
        _tusk.LanceBasePath(base.id, base.name, base.is_dataset_root, base.path)
        for base in initial_bases or ()
    ]
    if isinstance(target_bases, str):
        raise TypeError("target_bases must be a list of names and paths, not one text")
    targets.targets = list(target_bases or ())
    if target_all_bases is not None:
        choice = _tusk.LanceBaseChoice
        targets.choice = choice.ROOT_AND_BASES if target_all_bases else choice.BASES
    targets.store_options = checked_store_params(base_store_params) or {}
    return targets
