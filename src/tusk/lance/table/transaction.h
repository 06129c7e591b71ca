#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// The kinds of commits. Those that this build does not make are told apart for the conflict
/// matrix; kUnknown is a kind of a later writer.
enum class Operation {
  kAppend,
  kDelete,
  kOverwrite,
  kCreateIndex,
  kRewrite,
  kMerge,
  kRestore,
  kReserveFragments,
  kUpdate,
  kProject,
  kUpdateConfig,
  kDataReplacement,
  kUpdateMemWalState,
  kClone,
  kUpdateBases,
  kDataOverlay,
  kUnknown,
};

/// As in the specification: "append", "create_index".
std::string_view OperationName(Operation operation);

/// What a commit changes, against which version. kAppend, kDelete, kOverwrite and kRestore are
/// complete; of the others only what the conflict matrix asks for is kept.
struct Transaction {
  uint64_t read_version = 0;  ///< 0 makes a table
  std::string uuid;
  std::map<std::string, std::string> properties;
  Operation operation = Operation::kUnknown;
  /// kAppend, kOverwrite: their ids are given at commit. kDelete: those with a new deletion file.
  std::vector<Fragment> fragments;
  std::vector<uint64_t> deleted_fragments;  ///< kDelete: ids of those without a row left
  std::string predicate;                    ///< kDelete: for people who look at the transaction
  Schema schema;                            ///< kOverwrite
  /// kOverwrite: what the table says from now on. Not serialized: empty stands for the version of
  /// the fragments' files, or 2.2 without any.
  std::string data_version;
  std::map<std::string, std::string> config_upserts;  ///< kOverwrite
  bool preserves_nullability = false;                 ///< kMerge, kProject
  std::set<std::string> config_keys;                  ///< kUpdateConfig: set or removed
  uint64_t restored_version = 0;                      ///< kRestore
};

/// Only kAppend, kDelete, kOverwrite and kRestore have a serialized form here.
std::string SerializeTransaction(const Transaction& transaction);

/// Corrupt if the bytes are no transaction; one of an unknown kind is kUnknown.
Result<Transaction> ParseTransaction(std::string_view bytes);

/// "<read version>-<uuid>.txn", the name below _transactions/.
std::string TransactionFileName(const Transaction& transaction);

}  // namespace tusk::lance
