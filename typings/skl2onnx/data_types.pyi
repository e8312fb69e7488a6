from skl2onnx.common.data_types import FloatTensorType as FloatTensorType
from skl2onnx.common.data_types import TensorType as TensorType
