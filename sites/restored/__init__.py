"""Sites after the database came back from a dump: what stands by its marks (`world`), what a site's row would
say of it (`values`), what is to be done about each (`decisions`), and doing it (`settling`)."""
