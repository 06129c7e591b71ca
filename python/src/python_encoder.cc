#include "python_encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <nanobind/ndarray.h>

namespace tusk::python {
namespace {

/// A copy, which the function may keep.
nb::object ImageToPython(const lake::Image& image) {
  auto* pixels = new uint8_t[image.rgb.size()];
  std::memcpy(pixels, image.rgb.data(), image.rgb.size());
  const nb::capsule owner(pixels,
                          [](void* data) noexcept { delete[] static_cast<uint8_t*>(data); });
  const size_t shape[3] = {static_cast<size_t>(image.height), static_cast<size_t>(image.width), 3};
  return nb::cast(nb::ndarray<nb::numpy, uint8_t>(pixels, 3, shape, owner));
}

nb::object FileToPython(const std::span<const uint8_t>& file) {
  return nb::bytes(file.data(), file.size());
}

}  // namespace

PythonEncoder::PythonEncoder(nb::object function, std::string model, int32_t dimension,
                             lake::EncoderInput input, int64_t batch)
    : function_(std::move(function)),
      model_(std::move(model)),
      dimension_(dimension),
      input_(input),
      batch_(static_cast<size_t>(batch)) {}

PythonEncoder::~PythonEncoder() {
  const nb::gil_scoped_acquire acquire;
  function_ = nb::object();
  error_ = nullptr;
}

template <typename Item, typename ToPython>
Status PythonEncoder::Run(std::span<const Item> items, std::span<float> out,
                          const OperationContext& context, const ToPython& to_python) {
  for (size_t begin = 0; begin < items.size(); begin += batch_) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const auto some = items.subspan(begin, std::min(batch_, items.size() - begin));
    const nb::gil_scoped_acquire acquire;
    try {
      nb::list list;
      for (const Item& item : some) list.append(to_python(item));
      const nb::bytes vectors = nb::cast<nb::bytes>(function_(list));
      const size_t bytes = some.size() * dimension_ * sizeof(float);
      if (vectors.size() != bytes) {
        return InvalidArgument("encoder ", model_, " gave ", vectors.size(), " bytes for ",
                               some.size(), " items of ", dimension_, " numbers");
      }
      std::memcpy(out.data() + begin * dimension_, vectors.c_str(), bytes);
    } catch (...) {
      error_ = std::current_exception();
      return InvalidArgument("encoder ", model_, " failed");
    }
  }
  return Status::OK();
}

Status PythonEncoder::Encode(std::span<const lake::Image> images, std::span<float> out,
                             const OperationContext& context) {
  return Run(images, out, context, ImageToPython);
}

Status PythonEncoder::EncodeFiles(std::span<const std::span<const uint8_t>> files,
                                  std::span<float> out, const OperationContext& context) {
  return Run(files, out, context, FileToPython);
}

void PythonEncoder::RaiseIfFailed() {
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

}  // namespace tusk::python
