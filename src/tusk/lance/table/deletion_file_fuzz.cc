// Deletion files of any bytes, of both kinds; what is read is written and read the same, and its
// runs count and find rows as their definition says.

#include <algorithm>
#include <string_view>
#include <vector>

#include "tusk/io/object_store.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/testing/bounded_pool.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

constexpr int64_t kPoolBytes = int64_t{64} << 20;
/// Rows that are compared one by one, from the first and from the last on.
constexpr int64_t kLooked = 200;

bool AreSame(const DeletedRows& a, const DeletedRows& b) {
  return std::ranges::equal(a.runs(), b.runs(), [](const auto& x, const auto& y) {
    return x.begin == y.begin && x.end == y.end && x.deleted_before == y.deleted_before;
  });
}

/// Looks at the rows around `around`, of which a run begins or ends there.
void CheckAround(const DeletedRows& rows, int64_t around) {
  const int64_t begin = std::max<int64_t>(around - 2, 0);
  const std::vector<int64_t> others = rows.OthersIn(begin, around + 2);
  for (int64_t offset = begin; offset < around + 2; ++offset) {
    const bool is_other = std::ranges::find(others, offset) != others.end();
    Require(is_other != rows.Contains(offset), "a row is deleted or not");
    if (!is_other) continue;
    Require(rows.OffsetOf(rows.RowOf(offset)) == offset, "a row that is left is found again");
  }
}

void CheckRows(const DeletedRows& rows) {
  int64_t end = -1;
  int64_t count = 0;
  int64_t looked = 0;
  for (const DeletedRows::Run& run : rows.runs()) {
    Require(run.begin > end && run.end > run.begin, "runs ascend and do not touch");
    Require(run.deleted_before == count, "a run knows how many rows are deleted before it");
    end = run.end;
    count += run.end - run.begin;
    if (++looked > kLooked) continue;
    CheckAround(rows, run.begin);
    CheckAround(rows, run.end);
  }
  Require(rows.count() == count, "all runs are counted");
  if (!rows.runs().empty()) CheckAround(rows, rows.runs().back().end);

  const auto again = ParseRoaringBitmap(SerializeRoaringBitmap(rows));
  Require(again.status(), "what is written is read");
  Require(AreSame(*again, rows), "what is read again is the same");

  // Every other run, and what is left without them.
  DeletedRows some;
  for (size_t i = 0; i < rows.runs().size(); i += 2) {
    Require(some.Add(rows.runs()[i].begin, rows.runs()[i].end), "runs of runs ascend");
  }
  const auto rest = Difference(rows, some);
  Require(rest.status(), "rows are taken away");
  Require(rest->count() == count - some.count(), "so many are left");
  const auto both = Union(some, *rest);
  Require(both.status(), "rows are put together");
  Require(AreSame(*both, rows), "together they are all");
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  tusk::BoundedPool pool(kPoolBytes);
  tusk::OperationContext context;
  context.pool = &pool;
  const tusk::io::StorePath table{.store = tusk::io::MakeMemoryStore(), .path = "t"};

  Fragment fragment;
  fragment.deletion_file.emplace();
  DeletionFile& file = *fragment.deletion_file;
  file.type =
      input.Read<uint8_t>() % 2 == 0 ? DeletionFile::Type::kArrow : DeletionFile::Type::kBitmap;
  // What a manifest may say: at most 2^32 rows, and no more deletions than rows.
  fragment.physical_rows = int64_t{input.Read<uint32_t>()} + 1;
  file.num_deleted_rows = input.Read<uint32_t>();
  if (static_cast<int64_t>(file.num_deleted_rows) > fragment.physical_rows) return 0;
  const auto bytes = tusk::AsText(input.Rest());
  tusk::Require(table.store->Put(tusk::io::JoinPath(table.path, DeletionPath(fragment)), bytes, {}),
                "memory takes a file");

  if (file.type == DeletionFile::Type::kBitmap) {
    const auto rows = ParseRoaringBitmap(bytes);
    if (rows.ok()) CheckRows(*rows);
  }
  const auto rows = ReadDeletedRows(table, fragment, context);
  if (!rows.ok()) {
    tusk::RequireRefusal(rows.status());
    return 0;
  }
  tusk::Require(rows->count() == static_cast<int64_t>(file.num_deleted_rows),
                "a file has the rows that the manifest says");
  tusk::Require(rows->runs().back().end <= fragment.physical_rows, "no row is beyond the last");
  CheckRows(*rows);

  const auto written = WriteDeletedRows(table, fragment.id, 7, *rows, context);
  tusk::Require(written.status(), "what is read can be written");
  fragment.deletion_file = *written;
  const auto again = ReadDeletedRows(table, fragment, context);
  tusk::Require(again.status(), "the file that is written is read");
  tusk::Require(AreSame(*again, *rows), "the file that is written has the same rows");
  return 0;
}
