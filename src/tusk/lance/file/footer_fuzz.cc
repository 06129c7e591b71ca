// Footers of any bytes, behind any file; and what is parsed is written back the same.

#include <string>

#include "tusk/lance/file/footer.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const auto file_size = static_cast<int64_t>(input.Read<uint64_t>() >> 1);
  const std::string tail(tusk::AsText(input.Rest()));
  const auto footer = Footer::Parse(tail, file_size);
  if (!footer.ok()) {
    tusk::RequireRefusal(footer.status());
    return 0;
  }
  const auto body = static_cast<uint64_t>(file_size - Footer::kSize);
  const auto is_inside = [&](uint64_t position, uint64_t count) {
    return position <= body && count * Footer::kEntrySize <= body - position;
  };
  tusk::Require(is_inside(footer->column_table, footer->num_columns) &&
                    is_inside(footer->buffer_table, footer->num_buffers) &&
                    is_inside(footer->column_metadata, 0),
                "what a footer points to is in the file");
  std::string written;
  footer->AppendTo(&written);
  tusk::Require(tail.ends_with(written), "a footer is written as it was read");
  return 0;
}
