#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// One way to change a table or what belongs to it.
struct TableOperation {
  using Work = std::function<Status(const io::StorePath& table)>;

  std::string name = {};
  Work prepare = {};  ///< makes what is there before
  Work act = {};
  /// After a failure, if the old state is there: makes room for another try. May be null.
  Work undo = {};
  /// After a failure, if the new state is there: does what it has not come to. May be null.
  Work finish = {};
  /// Other than the newest versions, it changes things one by one: old versions go, or manifests
  /// get other names.
  bool is_gradual = false;
  /// Files that it has written stay after a failure, until a cleanup: they are for another step.
  bool keeps_files = false;
  /// It makes a table at another place. Of that no cleanup knows until it is whole.
  bool is_elsewhere = false;
};

inline void PrintTo(const TableOperation& operation, std::ostream* out) { *out << operation.name; }

/// Every operation that changes a table.
std::vector<TableOperation> AllTableOperations();

/// All that readers can see of a table, of its branches and of the clone of it that stands beside
/// it, but for times and what is drawn anew each time: of every version, or, if `only_newest`, of
/// the newest one of each, which is all the same to be read in every version. Fails the test if
/// something cannot be read.
std::string DescribeAll(const io::StorePath& table, bool only_newest);

/// The files of the table, its branches and its clone, ascending, each by its name without what is
/// drawn anew each time.
std::string DescribeFiles(const io::StorePath& table);

}  // namespace tusk::lance
