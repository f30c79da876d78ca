CREATE TABLE tasks (id bigint, title text DEFAULT 'ÿ');
