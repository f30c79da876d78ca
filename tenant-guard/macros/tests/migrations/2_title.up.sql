ALTER TABLE tasks ADD COLUMN title text;
