# SPDX-License-Identifier: GPL-2.0-or-later
"""Faxes in the pages: sent, watched, received. See fax_facts.mjs."""
import sys

import ui

sys.exit(ui.main("fax_facts"))
