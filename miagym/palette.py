"""Colours of all figures and pictures.

Okabe & Ito (2008), told apart by colour-blind readers. Their black and yellow are left out: each
vanishes on one of the two page colours.
"""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MEMBERS, NONMEMBERS = "#E69F00", "#56B4E9"
