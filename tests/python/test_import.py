"""What importing the package does, and does not."""

import json
import subprocess
import sys


def run(program):
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_import_alone_loads_nothing_of_arrow():
    assert run(
        "import json, sys, tusk; dir(tusk)\n"
        "print(json.dumps([m for m in ('pyarrow', 'numpy', 'tusk._tusk') if m in sys.modules]))"
    ) == []


def test_import_starts_no_threads():
    before, after = run(
        "import json, os, pyarrow.dataset\n"
        "count = lambda: len(os.listdir('/proc/self/task'))\n"
        "before = count()\n"
        "import tusk, tusk.file, tusk.optimize, tusk.arrow\n"
        "tusk.write_dataset, tusk.connect, tusk.LanceFragment\n"
        "print(json.dumps([before, count()]))"
    )
    assert after == before


def test_names_of_tables_load_no_engine_beside():
    loaded = run(
        "import json, sys, pyarrow.dataset\n"
        "before = set(sys.modules)\n"
        "import tusk\n"
        "tusk.write_dataset, tusk.dataset, tusk.LanceOperation\n"
        "more = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(json.dumps(sorted(more)))"
    )
    assert not {"duckdb", "pandas", "polars", "PIL", "click", "rich", "torch"} & set(loaded)
