#pragma once

#include <exception>
#include <string>

#include "call.h"

#include "tusk/lake/encoder.h"

namespace tusk::python {

/// An encoder whose vectors a Python function makes. The function gets a list of pictures (arrays
/// of height x width x 3 bytes) or of files (bytes), at most `batch` at a time, and gives the bytes
/// of float32 vectors, row-major. Called with the GIL, on the thread of the operation.
class PythonEncoder final : public lake::Encoder {
 public:
  PythonEncoder(nb::object function, std::string model, int32_t dimension, lake::EncoderInput input,
                int64_t batch);
  ~PythonEncoder() override;
  const std::string& model() const override { return model_; }
  int32_t dimension() const override { return dimension_; }
  lake::EncoderInput input() const override { return input_; }
  Status Encode(std::span<const lake::Image> images, std::span<float> out,
                const OperationContext& context) override;
  Status EncodeFiles(std::span<const std::span<const uint8_t>> files, std::span<float> out,
                     const OperationContext& context) override;

  /// Raises what the function raised last, if the operation failed because of it.
  void RaiseIfFailed();

 private:
  template <typename Item, typename ToPython>
  Status Run(std::span<const Item> items, std::span<float> out, const OperationContext& context,
             const ToPython& to_python);

  nb::object function_;
  std::string model_;
  int32_t dimension_;
  lake::EncoderInput input_;
  size_t batch_;
  std::exception_ptr error_;
};

/// Runs `call`; if it raises, what the function of `encoder` raised comes first.
template <typename F>
auto RaisingOf(lake::Encoder* encoder, F&& call) {
  try {
    return call();
  } catch (const StatusError&) {
    if (auto* python = dynamic_cast<PythonEncoder*>(encoder)) python->RaiseIfFailed();
    throw;
  }
}

}  // namespace tusk::python
