"""Who is who, what is called what where, and who may say so."""
