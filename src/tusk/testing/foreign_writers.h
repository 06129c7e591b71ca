#pragma once

#include <gtest/gtest.h>

#include "tusk/iceberg/append.h"
#include "tusk/io/object_store.h"
#include "tusk/lake/lake.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/sqlite_client.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {

/// Commits to the Iceberg table as pyiceberg does on the same file: a new metadata file, and a
/// compare-and-set of `iceberg_tables` that knows nothing of the log.
inline void AppendToIcebergAlone(const Lake& lake, const Ids& ids,
                                 const OperationContext& context) {
  ASSERT_OK_AND_ASSIGN(const auto base, lake.OpenIceberg(IcebergName(), context));
  ASSERT_OK_AND_ASSIGN(const auto staged,
                       iceberg::StageAppend(Rows(ids).get(), io::MakeLocalStore(), base->location(),
                                            base, {}, context));
  ASSERT_OK_AND_ASSIGN(const auto client, SqliteClient::Open(lake.uri() + "/catalog.db"));
  ASSERT_OK_AND_ASSIGN(
      const int64_t moved,
      client->Run("UPDATE iceberg_tables SET metadata_location = '" + staged.metadata_location +
                  "', previous_metadata_location = '" + base->metadata_location() +
                  "' WHERE metadata_location = '" + base->metadata_location() + "'"));
  EXPECT_EQ(moved, 1);
}

}  // namespace tusk::lake
