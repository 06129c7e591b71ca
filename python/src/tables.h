#pragma once

#include <memory>
#include <string_view>

#include "process.h"

#include "tusk/base/operation_context.h"
#include "tusk/iceberg/table.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file.h"

namespace tusk::python {

/// An open Lance table as Python holds it, with what was read and written through it.
struct LanceTable {
  std::shared_ptr<const lance::Dataset> dataset;
  std::shared_ptr<IoCounters> io = MakeCounters();
};

/// An open Lance file as Python holds it, with what was read through it.
struct LanceFile {
  std::shared_ptr<const lance::File> file;
  std::shared_ptr<IoCounters> io = MakeCounters();
};

/// An open Iceberg table as Python holds it, with what was read through it.
struct IcebergTable {
  std::shared_ptr<const iceberg::Table> table;
  std::shared_ptr<IoCounters> io = MakeCounters();
};

/// The mode of a write by its name in Python.
lance::WriteMode ParseMode(std::string_view mode);

}  // namespace tusk::python
