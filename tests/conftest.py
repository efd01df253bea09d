"""What all tests share. `answers` holds assertions of its own, and pytest explains those that it has rewritten."""

import pytest

pytest.register_assert_rewrite("answers")

pytest_plugins = ["skips"]
