"""Networks that represent metrics, their tangent kernels, and the flows these drive."""
