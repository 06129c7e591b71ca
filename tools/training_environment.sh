#!/bin/bash
# training_environment.sh FOLDER PACKAGE...: makes a Python environment of the packages, which also
# sees what is installed in .venv, the editable tusk among it.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift
.venv/bin/python -m venv "$folder"
seen=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
own=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# addsitedir, and not the path alone: the editable package is known by a .pth file in there.
echo "import site; site.addsitedir('$seen')" > "$own/of_tusk.pth"
exec "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
