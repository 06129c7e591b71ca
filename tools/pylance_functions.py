#!/usr/bin/env python3
"""Prints the functions that the installed pylance knows and tests/interop/function_cases.py does
not name, and those that it names in vain.

    tools/pylance_functions.py FOLDER...

The folders hold the sources of pylance's crates (`cargo fetch` in a crate that depends on lance
puts them into cargo's registry): lance*, datafusion-functions*, geodatafusion. Each word of them is
taken for a name and asked about, so that no name is missed; that takes half a minute."""

import pathlib
import re
import sys
import tempfile

import lance
import pyarrow as pa

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/interop"))
from function_cases import NAMES  # noqa: E402

# Functions of many rows, of none, and words of SQL.
OTHERS = set(
    """
    approx_distinct approx_median approx_percentile_cont approx_percentile_cont_with_weight
    array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar covar_pop covar_samp first_value
    grouping last_value max mean median min nth_value percentile_cont quantile_cont regr_avgx
    regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev
    stddev_pop stddev_samp string_agg sum var var_pop var_population var_samp var_sample st_extent
    unnest any_match array_any_match list_any_match array_filter list_filter array_transform
    list_transform false true null
    """.split()
)
REFUSED = re.compile("Invalid function|Error parsing statement|Schema error|No field named")


def words(folders):
    found = set()
    for folder in folders:
        for path in pathlib.Path(folder).rglob("*.rs"):
            found.update(re.findall(r"\b[a-z_][a-z_0-9]{1,31}\b", path.read_text().lower()))
    return found


def is_known(dataset, name):
    try:
        dataset.scanner(columns={"x": f"{name}()"}).projected_schema
    except BaseException as error:  # a panic is no Exception
        return not REFUSED.search(str(error))
    return True


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        dataset = lance.write_dataset(pa.table({"column_of_numbers": [1]}), f"{folder}/t.lance")
        known = {name for name in words(sys.argv[1:]) | set(NAMES) if is_known(dataset, name)}
    print("not named:", *sorted(known - set(NAMES) - OTHERS))
    print("named in vain:", *sorted(set(NAMES) - known))


if __name__ == "__main__":
    main()
