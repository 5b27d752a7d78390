"""A handler's module that ends the process that imports it."""

from __future__ import annotations

import os

os._exit(5)
