"""Every way in which a pin set will hurt, found before it does; pure."""

from pinwarden.pinning.lint.lint import lint_draft, lint_set
from pinwarden.pinning.lint.setting import LintSetting

__all__ = ["LintSetting", "lint_draft", "lint_set"]
