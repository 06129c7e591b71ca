#include "tusk/lance/file/write/encoding_options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

namespace tusk::lance {
namespace {

constexpr std::string_view kPrefix = "lance-encoding:";

/// Keys with this prefix that say something else than how values are encoded.
constexpr std::array<std::string_view, 5> kOtherKeys = {
    "blob", "packed", "blob-inline-size-threshold", "blob-dedicated-size-threshold",
    "blob-pack-file-size-threshold"};

Status BadValue(std::string_view key, std::string_view value, std::string_view expected) {
  return InvalidArgument("metadata '", kPrefix, key, "' is '", value, "', which is not ", expected);
}

template <typename T>
Result<T> ParseNumber(std::string_view key, std::string_view value, T min, T max,
                      std::string_view expected) {
  T number{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || !(number >= min) ||
      !(number <= max)) {
    return BadValue(key, value, expected);
  }
  return number;
}

/// What one key says; others go to the options as they are parsed.
class Parser {
 public:
  explicit Parser(EncodingOptions* options) : options_(options) {}

  Status Parse(std::string_view key, const std::string& value) {
    std::string lower = value;
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (key == "structural-encoding") return ParseLayout(key, lower);
    if (key == "compression") return ParseCompression(key, lower);
    if (key == "dict-values-compression") {
      return ParseScheme(key, lower, "lz4, zstd or none", &options_->dictionary_values.scheme);
    }
    if (key == "compression-level") return ParseLevel(key, value, &options_->general.level);
    if (key == "dict-values-compression-level") {
      return ParseLevel(key, value, &options_->dictionary_values.level);
    }
    if (key == "bss") return ParseByteStreamSplit(key, lower);
    if (key == "rle-threshold") {
      return ParseNumber<double>(key, value, 0, 1, "a number from 0 to 1")
          .Value(&options_->rle_threshold.emplace());
    }
    if (key == "minichunk-size") {
      return ParseNumber<int64_t>(key, value, 1, 1 << 30, "a number of bytes from 1 to 1 GiB")
          .Value(&options_->chunk_bytes.emplace());
    }
    if (key == "dict-divisor") {
      return ParseNumber<int64_t>(key, value, 1, int64_t{1} << 62, "a positive whole number")
          .Value(&options_->dictionary_divisor);
    }
    if (key == "dict-size-ratio") {
      return ParseNumber<double>(key, value, 1e-300, 1, "a number above 0 and up to 1")
          .Value(&options_->dictionary_ratio);
    }
    if (key == "dict-max-size") {
      return ParseNumber<int64_t>(key, value, 0, int64_t{1} << 62, "a number of bytes")
          .Value(&options_->max_dictionary_bytes);
    }
    if (std::ranges::find(kOtherKeys, key) != kOtherKeys.end()) return Status::OK();
    return InvalidArgument("metadata '", kPrefix, key, "' is no known way to encode a column");
  }

 private:
  Status ParseLayout(std::string_view key, std::string_view value) {
    if (value == "miniblock") {
      options_->layout = EncodingOptions::Layout::kMiniBlock;
    } else if (value == "fullzip") {
      options_->layout = EncodingOptions::Layout::kFullZip;
    } else if (value == "sparse") {
      return Unsupported("metadata '", kPrefix, key,
                         "' is 'sparse', which is of data version 2.3, which is not supported");
    } else {
      return BadValue(key, value, "miniblock or fullzip");
    }
    return Status::OK();
  }

  Status ParseCompression(std::string_view key, std::string_view value) {
    using Compression = EncodingOptions::Compression;
    if (value == "fsst") {
      options_->compression = Compression::kFsst;
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(
        ParseScheme(key, value, "lz4, zstd, fsst or none", &options_->general.scheme));
    options_->compression = options_->general.scheme == ValueEncoding::Compression::kUnknown
                                ? Compression::kNone
                                : Compression::kGeneral;
    return Status::OK();
  }

  static Status ParseScheme(std::string_view key, std::string_view value, std::string_view expected,
                            ValueEncoding::Compression* scheme) {
    if (value == "lz4") {
      *scheme = ValueEncoding::Compression::kLz4;
    } else if (value == "zstd") {
      *scheme = ValueEncoding::Compression::kZstd;
    } else if (value == "none") {
      *scheme = ValueEncoding::Compression::kUnknown;
    } else {
      return BadValue(key, value, expected);
    }
    return Status::OK();
  }

  static Status ParseLevel(std::string_view key, std::string_view value,
                           std::optional<int>* level) {
    return ParseNumber<int>(key, value, -100'000, 22, "a compression level, at most 22")
        .Value(&level->emplace());
  }

  Status ParseByteStreamSplit(std::string_view key, std::string_view value) {
    using Mode = EncodingOptions::ByteStreamSplit;
    if (value == "off") {
      options_->byte_stream_split = Mode::kOff;
    } else if (value == "on") {
      options_->byte_stream_split = Mode::kOn;
    } else if (value == "auto") {
      options_->byte_stream_split = Mode::kAuto;
    } else {
      return BadValue(key, value, "off, on or auto");
    }
    return Status::OK();
  }

  EncodingOptions* options_;
};

}  // namespace

Result<EncodingOptions> EncodingOptions::Parse(const std::map<std::string, std::string>& metadata) {
  EncodingOptions options;
  Parser parser(&options);
  for (const auto& [key, value] : metadata) {
    if (!key.starts_with(kPrefix)) continue;
    ARROW_RETURN_NOT_OK(parser.Parse(std::string_view(key).substr(kPrefix.size()), value));
  }
  return options;
}

}  // namespace tusk::lance
