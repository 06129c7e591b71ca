#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tusk/catalog/catalog.h"

// Made-up changes of two tables, media.digits (Lance) and media.digits_meta (Iceberg), for tests
// of the catalog alone: no such files exist.
namespace tusk::catalog {

inline TableName Name(std::string_view text) { return *TableName::Parse(text); }

inline TablePointer Staged(int64_t version, std::string uuid) {
  return {.path = "_versions/" + std::to_string(version) + ".manifest-" + uuid,
          .version = version,
          .size_bytes = 100 + version,
          .transaction_uuid = std::move(uuid)};
}

inline TablePointer Final(int64_t version, std::string uuid) {
  return {.path = "_versions/" + std::to_string(version) + ".manifest",
          .version = version,
          .size_bytes = 100 + version,
          .transaction_uuid = std::move(uuid)};
}

inline TablePointer Metadata(int64_t snapshot) {
  return {.path = "/lake/tables/media/digits_meta/metadata/" + std::to_string(snapshot) + ".json",
          .version = snapshot,
          .size_bytes = 0,
          .transaction_uuid = ""};
}

inline TableChange LanceChange(std::optional<TablePointer> expected, TablePointer next) {
  return {.name = Name("media.digits"),
          .kind = TableKind::kLance,
          .uuid = "lance-uuid",
          .location = "tables/media/digits.lance",
          .expected = std::move(expected),
          .next = std::move(next),
          .added_rows = 10};
}

inline TableChange IcebergChange(std::optional<TablePointer> expected, TablePointer next) {
  return {.name = Name("media.digits_meta"),
          .kind = TableKind::kIceberg,
          .uuid = "iceberg-uuid",
          .location = "/lake/tables/media/digits_meta",
          .expected = std::move(expected),
          .next = std::move(next),
          .added_rows = 10};
}

inline JointCommit CommitOf(std::vector<TableChange> changes) {
  JointCommit commit;
  commit.changes = std::move(changes);
  return commit;
}

}  // namespace tusk::catalog
