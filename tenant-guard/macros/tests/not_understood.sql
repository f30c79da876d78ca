CREATE TABLE a (id int);
SELECT my_setup();
