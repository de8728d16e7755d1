"""What people are told in their own language, outside the page: by push, and by mail.

English stands in the code. `catalogs/` has a gettext catalog (`.po`) for each other language; a new file is a new
language. Babel reads the catalogs, and knows how dates are written (CLDR).
"""
