# SPDX-License-Identifier: GPL-2.0-or-later
"""Every page, and whom it keeps out. See page_facts.mjs."""
import sys

import ui

sys.exit(ui.main("page_facts"))
