"""The agent: the controller's port over one SQLite file, for controllers on other machines, over HTTP.

`bidlock agent` serves it (`command`, `server`), `sqlite+http://` and `sqlite+https://` reach it (`client`). Needs the
extra `bidlock-sqlite[agent]`; nothing in here is imported before it is used.
"""
