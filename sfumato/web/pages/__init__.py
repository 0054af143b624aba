"""The studio's pages, one module per desk: each has its addresses and reads or acts by the rooms' verbs."""
