"""Foreign checkpoints -> our networks' tensors. Each dialect is one module; `models import` tries them all."""
