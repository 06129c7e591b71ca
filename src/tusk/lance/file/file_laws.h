#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tusk/base/result.h"

namespace tusk::lance {

/// What reads of any file may take: beyond it the pool refuses.
inline constexpr int64_t kFileMemory = 64 << 20;

/// Opens `bytes` as a file and reads every top-level field of it: its first rows (5,000 at the
/// most), a range, and single rows. Answers the first error. The laws: every error is a refusal; a
/// result has the field's type, the length asked and is valid; a range is a slice of the whole;
/// rows taken are those of the whole. Aborts on one that is broken.
/// A struct's nulls stand in each child's column, so that damage to one lets a child read alone
/// differ from the whole: only if the file `is_sound` children are read alone too.
Status CheckFile(std::string_view bytes, bool is_sound = false);

/// A file of the parts in `data`, which stand where the tables, offsets and lengths say: u8 version
/// (0 for 2.2, 1 for 2.1, 2 for 2.0), the file descriptor behind its size, and for each column u8
/// number of pages; for each page u32 number of rows, the description of its layout behind its
/// size, u8 number of buffers, the buffers behind their sizes. All sizes have 16 bits.
std::string AssembleFile(const uint8_t* data, size_t size);

/// Puts the parts together and checks the file. -1, which libFuzzer does not keep, if the first
/// page's layout, as the description's first byte has it, is not `layout`.
int CheckAssembledFile(uint8_t layout, const uint8_t* data, size_t size);

}  // namespace tusk::lance
