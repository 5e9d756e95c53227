-- Likeness of names. A trusted extension: whoever may create in the database may install it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
