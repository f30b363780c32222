# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands around the faxes in the pages. See desk_facts.mjs."""
import sys

import ui

sys.exit(ui.main("desk_facts"))
