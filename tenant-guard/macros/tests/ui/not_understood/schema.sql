CREATE TABLE tasks (id bigint);
SELECT my_setup();
